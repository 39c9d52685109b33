"""ONNX Runtime's execution providers by short names: what each needs installed, and how it is set up."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from ..errors import ModelError

Precision = Literal["float32", "reduced"]
"""In what a provider computes: float32 throughout, or whatever it finds fastest, at the cost of exactness."""

ProviderSetup = tuple[str, dict[str, str]]
"""ONNX Runtime's name of a provider and its options."""


@dataclass(frozen=True, slots=True)
class _Provider:
    onnx_name: str
    install: str
    options: Callable[[int, Precision], dict[str, str]]


def _nothing(_threads: int, _precision: Precision) -> dict[str, str]:
    return {}


def _openvino(threads: int, precision: Precision) -> dict[str, str]:
    exact = precision == "float32"
    return {"device_type": "CPU", "num_of_threads": str(threads), "precision": "FP32" if exact else "FP16"}


def _cuda(_threads: int, precision: Precision) -> dict[str, str]:
    # TensorFloat-32 keeps ten bits of each factor
    return {"use_tf32": "0" if precision == "float32" else "1"}


def _coreml(_threads: int, precision: Precision) -> dict[str, str]:
    # the Neural Engine computes in float16 only
    units = "CPUAndGPU" if precision == "float32" else "ALL"
    return {"ModelFormat": "MLProgram", "RequireStaticInputShapes": "1", "MLComputeUnits": units}


# These packages hold the same modules as `onnxruntime` and take its place.
_INSTEAD = "pip uninstall -y onnxruntime && pip install {}"

PROVIDERS: Final[Mapping[str, _Provider]] = {
    "cpu": _Provider("CPUExecutionProvider", "pip install onnxruntime", _nothing),
    "cuda": _Provider("CUDAExecutionProvider", _INSTEAD.format("'onnxruntime-gpu[cuda,cudnn]'"), _cuda),
    "openvino": _Provider("OpenVINOExecutionProvider", _INSTEAD.format("onnxruntime-openvino"), _openvino),
    "coreml": _Provider("CoreMLExecutionProvider", "pip install onnxruntime (on macOS)", _coreml),
    "directml": _Provider("DmlExecutionProvider", _INSTEAD.format("onnxruntime-directml") + " (on Windows)", _nothing),
}
"""The providers that options may name, by the names they go by here."""

PROVIDERS_VARIABLE: Final = "GRAPHFLOW_PROVIDERS"


def default_providers() -> tuple[str, ...]:
    """Return what the environment variable GRAPHFLOW_PROVIDERS lists, in order of preference; `("cpu",)` without it.

    >>> default_providers()
    ('cpu',)
    """
    listed = os.environ.get(PROVIDERS_VARIABLE, "")
    return tuple(name.strip() for name in listed.split(",") if name.strip()) or ("cpu",)


def provider_mistake(names: Sequence[str]) -> str:
    """Return what is wrong with names of providers, here or ONNX Runtime's own; "" where nothing is.

    >>> provider_mistake(["gpu"])
    "no provider is called 'gpu'; there are: cpu, cuda, openvino, coreml, directml"
    """
    for name in names:
        if name not in PROVIDERS and not name.endswith("ExecutionProvider"):
            return f"no provider is called '{name}'; there are: {', '.join(PROVIDERS)}"
    return ""


def is_cpu_only(names: Sequence[str]) -> bool:
    """Whether the processor is all that `names` ask for."""
    return all(name in ("cpu", PROVIDERS["cpu"].onnx_name) for name in names)


def may_compile(names: Sequence[str]) -> bool:
    """Whether `names` leave open what computes on the processor: whoever wants ONNX Runtime's provider calls it so."""
    return all(name == "cpu" for name in names)


def provider_setups(
    names: Sequence[str], available: Sequence[str], threads: int = 1, precision: Precision = "float32"
) -> list[ProviderSetup]:
    """Return ONNX Runtime's names and options for providers in order of preference.

    `available` is what the installed ONNX Runtime has. Raises ModelError for a name that does not exist, and with the
    line that installs it for a provider that is not there.
    """
    mistake = provider_mistake(names)
    if mistake:
        raise ModelError(mistake)
    known = {provider.onnx_name: provider for provider in PROVIDERS.values()}
    setups: list[ProviderSetup] = []
    for name in names:
        onnx_name = PROVIDERS[name].onnx_name if name in PROVIDERS else name
        provider = known.get(onnx_name)
        if onnx_name not in available:
            remedy = f"; install it with: {provider.install}" if provider else ""
            raise ModelError(f"ONNX Runtime has no {onnx_name} here; it has {', '.join(available)}{remedy}")
        setups.append((onnx_name, provider.options(threads, precision) if provider else {}))
    return setups


def check_in_use(setups: Sequence[ProviderSetup], in_use: Sequence[str]) -> None:
    """Raise ModelError where ONNX Runtime fell back to another provider, as it does when a library is missing."""
    missing = [name for name, _ in setups if name not in in_use]
    if missing:
        raise ModelError(
            f"{', '.join(missing)} is part of this ONNX Runtime but did not start: a driver or library that it needs "
            "is missing, or there is no such device; ask for 'cpu', or see ONNX Runtime's page on that provider"
        )


def set_up_session(options: Any, setups: Sequence[ProviderSetup]) -> None:
    """Change session options as the providers need it."""
    if any(name == PROVIDERS["directml"].onnx_name for name, _ in setups):
        options.enable_mem_pattern = False
