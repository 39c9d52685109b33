"""A compiler of convolutional networks to machine code, for one thread of the processor that it runs on.

What ONNX Runtime's CPU provider does behind a convolution (ReLU6, PReLU, sums) happens here in the registers in which
the sums are; layers whose tensors are too large for the cache run together strip by strip. Sums are added up in the
order in which XNNPACK adds them, so that results are as near to TFLite's as float32 lets them be.
"""

from .compilation import compile_graph
from .execution import CompiledNetwork
from .lowering import UnsupportedNetwork
from .program import Program

__all__ = ["CompiledNetwork", "Program", "UnsupportedNetwork", "compile_graph"]
