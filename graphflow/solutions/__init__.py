"""MediaPipe's `mp.solutions` over the shipped graphs; `graphflow.compat` gives them under the name `solutions`.

`multi_holistic` is graphflow's own.
"""

from . import (
    drawing_styles,
    drawing_utils,
    face_detection,
    face_mesh,
    face_mesh_connections,
    hands,
    hands_connections,
    holistic,
    multi_holistic,
    pose,
    pose_connections,
    selfie_segmentation,
)

__all__ = [
    "drawing_styles",
    "drawing_utils",
    "face_detection",
    "face_mesh",
    "face_mesh_connections",
    "hands",
    "hands_connections",
    "holistic",
    "multi_holistic",
    "pose",
    "pose_connections",
    "selfie_segmentation",
]
