"""Body, hands and face of several people; MediaPipe has no such solution."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .face_mesh_connections import FACEMESH_CONTOURS, FACEMESH_TESSELATION
from .hands import HandLandmark
from .hands_connections import HAND_CONNECTIONS
from .holistic import HolisticResults, holistic_results
from .pose import PoseLandmark
from .pose_connections import POSE_CONNECTIONS
from .pose_results import body_params
from .solution import Solution

__all__ = [
    "FACEMESH_CONTOURS",
    "FACEMESH_TESSELATION",
    "HAND_CONNECTIONS",
    "POSE_CONNECTIONS",
    "HandLandmark",
    "MultiHolistic",
    "MultiHolisticResults",
    "PoseLandmark",
]

_BODY: Final = ("pose_landmarks", "pose_world_landmarks")
_PARTS: Final = ("left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


class MultiHolisticResults(NamedTuple):
    """What `MultiHolistic.process` found.

    Attributes:
        people: by the person's number, in ascending order, what `Holistic` finds of one; empty where nobody is. There
            are no masks.
    """

    people: dict[int, HolisticResults]


class MultiHolistic(Solution):
    """Finds body, both hands and face of several people, and follows each under a number of their own.

    Args:
        static_image_mode: the images have nothing to do with each other: each is searched anew and nothing is smoothed.
        max_num_people: how many people at most.
        model_complexity: of the body's model; 0 is faster and less exact, 2 slower and more exact; both are fetched
            when first used.
        smooth_landmarks: whether body landmarks are filtered over time.
        refine_face_landmarks: whether eyes and lips are found more exactly, and irises as well.
        min_detection_confidence: score in 0..1 for a person to be found.
        min_tracking_confidence: score in 0..1 for the person to be still there.
        redetect_every: images from one look for newcomers to the next; 0 looks when somebody was lost.
        tiles: look at so many overlapping squares along the shorter side, too, for small people; 0 for none.

    Raises:
        ValueError: there is no such model complexity.
        ModelError: a model cannot be had.
    """

    def __init__(
        self,
        static_image_mode: bool = False,
        max_num_people: int = 4,
        model_complexity: int = 1,
        smooth_landmarks: bool = True,
        refine_face_landmarks: bool = False,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
        redetect_every: int = 10,
        tiles: int = 0,
    ) -> None:
        body = body_params(
            static_image_mode=static_image_mode,
            model_complexity=model_complexity,
            smooth_landmarks=smooth_landmarks,
            min_detection_confidence=min_detection_confidence,
            min_tracking_confidence=min_tracking_confidence,
        )
        own = {"max_people": max_num_people, "redetect_every": redetect_every, "tiles": tiles}
        super().__init__(
            "multi_holistic",
            (*_BODY, *_PARTS),
            params={"refine_face_landmarks": refine_face_landmarks, **own, **body},
            static_image_mode=static_image_mode,
        )

    def process(self, image: npt.NDArray[np.uint8]) -> MultiHolisticResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        found: dict[str, Mapping[int, Any]] = self._run(image)
        numbers = sorted(found.get("pose_landmarks", {}))
        return MultiHolisticResults(
            {
                number: holistic_results({key: by_number.get(number) for key, by_number in found.items()})
                for number in numbers
            }
        )
