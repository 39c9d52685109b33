"""Where faces are, as `mp.solutions.face_detection`."""

from __future__ import annotations

import enum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .detections import Detection, RelativeKeypoint
from .solution import Solution

__all__ = ["FaceDetection", "FaceDetectionResults", "FaceKeyPoint", "get_key_point"]


class FaceKeyPoint(enum.IntEnum):
    """The six key points of a face; left and right are the person's own."""

    RIGHT_EYE = 0
    LEFT_EYE = 1
    NOSE_TIP = 2
    MOUTH_CENTER = 3
    RIGHT_EAR_TRAGION = 4
    LEFT_EAR_TRAGION = 5


def get_key_point(detection: Detection | None, key_point_enum: FaceKeyPoint) -> RelativeKeypoint | None:
    """One key point of a face that was found; None without a face."""
    if not detection or not detection.location_data:
        return None
    point: RelativeKeypoint = detection.location_data.relative_keypoints[key_point_enum]
    return point


class FaceDetectionResults(NamedTuple):
    """What `FaceDetection.process` found.

    Attributes:
        detections: for each face its score, box and six key points; None without faces.
    """

    detections: list[Detection] | None


_DEFAULT_CONFIDENCE = 0.5
_FULL_RANGE_CONFIDENCE = 0.6
"""MediaPipe 0.10.21 ignores `min_detection_confidence`; its graph of the full-range model asks for this."""


class FaceDetection(Solution):
    """Finds faces, on each image anew.

    Args:
        min_detection_confidence: score in 0..1 for a face to be found. MediaPipe 0.10.21 takes no notice of it; here it
            counts, except that the default gives what MediaPipe gives: 0.6 for the full-range model.
        model_selection: 0 is made for faces up to 2 metres away, 1 up to 5 metres.

    Raises:
        ModelError: a model cannot be had.
    """

    def __init__(self, min_detection_confidence: float = _DEFAULT_CONFIDENCE, model_selection: int = 0) -> None:
        full_range = model_selection == 1
        if full_range and min_detection_confidence == _DEFAULT_CONFIDENCE:
            min_detection_confidence = _FULL_RANGE_CONFIDENCE
        super().__init__(
            "face_detection",
            ("detections",),
            params={"model_selection": int(full_range), "min_detection_confidence": min_detection_confidence},
        )

    def process(self, image: npt.NDArray[np.uint8]) -> FaceDetectionResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        return FaceDetectionResults([Detection(face) for face in self._run(image).get("detections", ())] or None)
