"""What a calculator is called in YAML, and what in MediaPipe's files: `Gate`, `GateCalculator`."""

from __future__ import annotations

from graphflow import registry

_SUFFIX = "Calculator"


def short_name(name: str) -> str:
    """The name without MediaPipe's suffix, where a calculator is found by it.

    >>> short_name("GateCalculator"), short_name("SomebodysCalculator")
    ('Gate', 'SomebodysCalculator')
    """
    short = name.removesuffix(_SUFFIX)
    return short if short and short != name and _is_known(short) else name


def mediapipe_name(name: str) -> str:
    """The name with MediaPipe's suffix; subgraphs and calculators of a user's own file keep theirs.

    >>> mediapipe_name("Gate"), mediapipe_name("HandTracking"), mediapipe_name("InferenceCalculatorCpu")
    ('GateCalculator', 'HandTracking', 'InferenceCalculatorCpu')
    """
    return f"{name}{_SUFFIX}" if _SUFFIX not in name and ":" not in name and _is_known(name) else name


def _is_known(name: str) -> bool:
    try:
        registry.find(name)
    except registry.UnknownCalculatorError:
        return False
    except Exception:  # it exists and fails to load
        return True
    return True
