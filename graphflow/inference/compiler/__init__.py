"""A compiler of convolutional networks to machine code, for one thread of the processor that it runs on.

What ONNX Runtime's CPU provider does behind a convolution (ReLU6, PReLU, sums) happens here in the registers in which
the sums are; layers whose tensors are too large for the cache run together strip by strip. Sums are added up in the
order in which XNNPACK adds them, so that results are TFLite's, bit for bit.

`graphflow.inference.compiler.compilation` compiles; what this package names is all that running takes.
"""

from .execution import CompiledNetwork
from .program import Program

__all__ = ["CompiledNetwork", "Program"]
