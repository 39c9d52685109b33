"""Which message holds the options of a calculator in MediaPipe's files, and which belong to another one."""

from __future__ import annotations

import re
from typing import Any

from graphflow import registry

# Families of calculators share one message, and some use that of a relative.
_SHARED: tuple[tuple[str, str], ...] = (
    (r"Split\w+(?:Vector|List)", "SplitVectorCalculatorOptions"),
    (r"MovableSplit\w+Vector", "SplitVectorCalculatorOptions"),
    (r"Concatenate\w+", "ConcatenateVectorCalculatorOptions"),
    (r"Get\w+VectorItem", "GetVectorItemCalculatorOptions"),
    (r"Clip\w+VectorSize", "ClipVectorSizeCalculatorOptions"),
    (r"\w+HasMinSize", "CollectionHasMinSizeCalculatorOptions"),
    (r"Filter\w+Collection", "FilterCollectionCalculatorOptions"),
    (r"Association\w+", "AssociationCalculatorOptions"),
    (r"AlignmentPointsRects|FaceToRect|HandDetectionsFromPoseToRects", "DetectionsToRectsCalculatorOptions"),
    (r"Multi\w*LandmarksSmoothing", "LandmarksSmoothingCalculatorOptions"),
    (r"FaceLandmarksToRenderData", "LandmarksToRenderDataCalculatorOptions"),
    (r"InferenceCalculator(?:Cpu|Gl|Metal|Xnnpack)", "InferenceCalculatorOptions"),
    (r"WarpAffineCalculator(?:Cpu|Gpu)", "WarpAffineCalculatorOptions"),
    (r"Switch(?:Container|Demux|Mux)", "SwitchContainerOptions"),
)


def options_message(calculator: str) -> str:
    """The name of the message with a calculator's options.

    >>> options_message("GateCalculator"), options_message("SplitDetectionVector")
    ('GateCalculatorOptions', 'SplitVectorCalculatorOptions')
    """
    return _shared(calculator) or f"{_short(calculator)}CalculatorOptions"


def is_foreign(message: str, calculator: str) -> bool:
    """Whether a message is for other calculators than this, which MediaPipe then does not look at.

    A message that no calculator here is known to use may be anybody's: that of a subgraph, or of a user's calculator.
    """
    short = _short(calculator)
    if message in (options_message(calculator), f"{short}CalculatorOptions", f"{short}Options"):
        return False
    if _shared(calculator) or any(message == shared for _, shared in _SHARED):
        return True
    return _exists(message.removesuffix("Options"))


def option_type(calculator: str, name: str) -> Any:
    """The type of a calculator's option, None where calculator or option are not known here."""
    try:
        return registry.find(calculator).option_type(name)
    except Exception:  # a user's module may do anything when it is loaded
        return None


def _short(calculator: str) -> str:
    name = calculator.rpartition(":")[2]
    return name.removesuffix("Calculator") or name


def _shared(calculator: str) -> str:
    names = {calculator, _short(calculator)}
    return next((shared for pattern, shared in _SHARED if any(re.fullmatch(pattern, name) for name in names)), "")


def _exists(calculator: str) -> bool:
    try:
        registry.find(calculator)
    except registry.UnknownCalculatorError:
        return False
    return True
