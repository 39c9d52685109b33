"""What tells machines apart on which different things become of a model."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


@functools.cache
def processor() -> str:
    """Return the processor's name and a digest of its features.

    Virtual machines give many processors the same name; what they can do still differs.
    """
    name, features = platform.processor() or platform.machine(), platform.machine()
    try:
        first = _CPU_INFO.read_text(errors="replace").partition("\n\n")[0]
    except OSError:
        first = ""
    for line in first.splitlines():
        field, _, value = line.partition(":")
        if field.strip() in ("model name", "Model", "CPU part"):
            name = value.strip()
        elif field.strip() in ("flags", "Features"):
            features = " ".join(sorted(value.split()))
    return f"{name} {hashlib.sha256(features.encode()).hexdigest()[:8]}"


@functools.cache
def onnxruntime_version() -> str:
    """Return ONNX Runtime's version, without loading it where its package has the usual name."""
    try:
        return importlib.metadata.version("onnxruntime")
    except importlib.metadata.PackageNotFoundError:
        # one of the packages with other providers
        import onnxruntime

        return str(onnxruntime.__version__)
