"""Faces in detail, as `mp.solutions.face_mesh`."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from .face_mesh_connections import (
    FACEMESH_CONTOURS,
    FACEMESH_FACE_OVAL,
    FACEMESH_IRISES,
    FACEMESH_LEFT_EYE,
    FACEMESH_LEFT_EYEBROW,
    FACEMESH_LEFT_IRIS,
    FACEMESH_LIPS,
    FACEMESH_NOSE,
    FACEMESH_RIGHT_EYE,
    FACEMESH_RIGHT_EYEBROW,
    FACEMESH_RIGHT_IRIS,
    FACEMESH_TESSELATION,
)
from .landmarks import NormalizedLandmarkList
from .solution import Solution

__all__ = [
    "FACEMESH_CONTOURS",
    "FACEMESH_FACE_OVAL",
    "FACEMESH_IRISES",
    "FACEMESH_LEFT_EYE",
    "FACEMESH_LEFT_EYEBROW",
    "FACEMESH_LEFT_IRIS",
    "FACEMESH_LIPS",
    "FACEMESH_NOSE",
    "FACEMESH_NUM_LANDMARKS",
    "FACEMESH_NUM_LANDMARKS_WITH_IRISES",
    "FACEMESH_RIGHT_EYE",
    "FACEMESH_RIGHT_EYEBROW",
    "FACEMESH_RIGHT_IRIS",
    "FACEMESH_TESSELATION",
    "FaceMesh",
    "FaceMeshResults",
]

FACEMESH_NUM_LANDMARKS: Final = 468
FACEMESH_NUM_LANDMARKS_WITH_IRISES: Final = 478


class FaceMeshResults(NamedTuple):
    """What `FaceMesh.process` found.

    Attributes:
        multi_face_landmarks: for each face 468 points of the image, 478 where they are refined; None without faces.
    """

    multi_face_landmarks: list[NormalizedLandmarkList] | None


class FaceMesh(Solution):
    """Finds faces in detail, and follows them from image to image.

    Args:
        static_image_mode: the images have nothing to do with each other: each is searched anew.
        max_num_faces: how many faces to look for.
        refine_landmarks: whether eyes and lips are found more exactly, and irises as well.
        min_detection_confidence: score in 0..1 for a face to be found.
        min_tracking_confidence: score in 0..1 for a face to be still there.

    Raises:
        ModelError: a model cannot be had.
    """

    def __init__(
        self,
        static_image_mode: bool = False,
        max_num_faces: int = 1,
        refine_landmarks: bool = False,
        min_detection_confidence: float = 0.5,
        min_tracking_confidence: float = 0.5,
    ) -> None:
        super().__init__(
            "face_mesh",
            ("multi_face_landmarks",),
            params={
                "num_faces": max_num_faces,
                "refine_landmarks": refine_landmarks,
                "use_previous_landmarks": not static_image_mode,
                "min_detection_confidence": min_detection_confidence,
                "min_tracking_confidence": min_tracking_confidence,
            },
            static_image_mode=static_image_mode,
        )

    def process(self, image: npt.NDArray[np.uint8]) -> FaceMeshResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        faces = self._run(image).get("multi_face_landmarks", ())
        return FaceMeshResults([NormalizedLandmarkList.of(face) for face in faces] or None)
