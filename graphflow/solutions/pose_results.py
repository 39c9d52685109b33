"""What the solutions that look for a body share: the choice of its model, and its landmarks as results."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from graphflow.calculators import payloads
from graphflow.inference import ModelCard, ModelStore

from .landmarks import LandmarkList

_ASSETS: Final = "https://storage.googleapis.com/mediapipe-assets"

_MODELS: Final = {
    0: ModelCard(
        "pose_landmark_lite",
        "f17bfbecadb61c3be1baa8b8d851cc6619c870a87167b32848ad20db306b9d61",
        "The faster, less accurate variant of pose_landmark_full.",
        url=f"{_ASSETS}/pose_landmark_lite.tflite?generation=1661875901231143",
        size=2_819_824,
    ),
    2: ModelCard(
        "pose_landmark_heavy",
        "59e42d71bcd44cbdbabc419f0ff76686595fd265419566bd4009ef703ea8e1fe",
        "The slower, more accurate variant of pose_landmark_full.",
        url=f"{_ASSETS}/pose_landmark_heavy.tflite?generation=1661875897944151",
    ),
}
"""By model complexity. MediaPipe's wheel has only the one between; it too fetches these when they are first used."""

Points = TypeVar("Points", bound=LandmarkList)


def body_params(
    *,
    static_image_mode: bool,
    model_complexity: int,
    smooth_landmarks: bool,
    min_detection_confidence: float,
    min_tracking_confidence: float,
) -> dict[str, Any]:
    """The parameters of the graphs `pose`, `holistic` and `multi_holistic` that say what these arguments mean.

    Raises:
        ValueError: there is no such complexity.
        ModelError: the model cannot be had.
    """
    params: dict[str, Any] = {
        "smooth_landmarks": smooth_landmarks and not static_image_mode,
        "use_previous_landmarks": not static_image_mode,
        "min_detection_confidence": min_detection_confidence,
        "min_tracking_confidence": min_tracking_confidence,
    }
    if model_complexity == 1:
        return params
    if model_complexity not in _MODELS:
        raise ValueError(f"model_complexity is 0 (lite), 1 (full) or 2 (heavy), not {model_complexity!r}")
    return {**params, "pose_model": str(ModelStore().path(_MODELS[model_complexity]))}


def mask_params(static_image_mode: bool, enable_segmentation: bool, smooth_segmentation: bool) -> dict[str, Any]:
    """The parameters of the graphs `pose` and `holistic` that say whether there is a mask."""
    smooth = smooth_segmentation and not static_image_mode
    return {"enable_segmentation": enable_segmentation, "smooth_segmentation": smooth}


def body_landmarks(
    kind: type[Points], found: payloads.LandmarkList | payloads.NormalizedLandmarkList | None
) -> Points | None:
    """Body landmarks as a result: without presence, which MediaPipe's solutions take away too."""
    if found is None:
        return None
    points = kind.of(found)
    points.presence = None
    return points
