"""What a processor offers to kernels: how wide its vectors are, and how many of them fit in its registers."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import llvmlite.binding as llvm


@dataclass(frozen=True, slots=True)
class VectorUnit:
    """Vectors of `width` float32 in `registers` registers; `width` is also what channels are stored in multiples of."""

    width: int
    registers: int


@functools.cache
def _host() -> tuple[str, frozenset[str]]:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return llvm.get_host_cpu_name(), frozenset(name for name, present in features.items() if present)


def host_vectors() -> VectorUnit | None:
    """Return this processor's vectors, None where it lacks fused multiply-add, without which sums round otherwise."""
    _, features = _host()
    if "avx512f" in features:
        return VectorUnit(16, 32)
    if {"avx2", "fma"} <= features:
        return VectorUnit(8, 16)
    if "neon" in features:
        return VectorUnit(4, 32)
    return None


def host_machine() -> llvm.TargetMachine:
    """Return LLVM's view of this processor, which compiles for exactly it."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    name, features = _host()
    flags = ",".join(f"+{feature}" for feature in sorted(features))
    return llvm.Target.from_default_triple().create_target_machine(cpu=name, features=flags, opt=3)
