"""MediaPipe's default colours and widths, for the arguments of `drawing_utils.draw_landmarks`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graphflow.calculators.render import topology

from .connections import Connection, along
from .drawing_utils import DrawingSpec
from .face_mesh_connections import (
    FACEMESH_FACE_OVAL,
    FACEMESH_LEFT_EYE,
    FACEMESH_LEFT_EYEBROW,
    FACEMESH_LEFT_IRIS,
    FACEMESH_LIPS,
    FACEMESH_NOSE,
    FACEMESH_RIGHT_EYE,
    FACEMESH_RIGHT_EYEBROW,
    FACEMESH_RIGHT_IRIS,
)

_LIME: Final = (48, 255, 192)
_MAGENTA: Final = (255, 48, 192)

_CONTOURS: Final = (
    {
        FACEMESH_LIPS: topology.WHITE,
        FACEMESH_LEFT_EYE: topology.GREEN,
        FACEMESH_LEFT_EYEBROW: topology.GREEN,
        FACEMESH_RIGHT_EYE: topology.RED,
        FACEMESH_RIGHT_EYEBROW: topology.RED,
        FACEMESH_FACE_OVAL: topology.WHITE,
    },
    {
        FACEMESH_LIPS: topology.BLUE,
        FACEMESH_LEFT_EYE: _LIME,
        FACEMESH_LEFT_EYEBROW: topology.GREEN,
        FACEMESH_RIGHT_EYE: _MAGENTA,
        FACEMESH_RIGHT_EYEBROW: topology.RED,
        FACEMESH_FACE_OVAL: topology.WHITE,
        FACEMESH_NOSE: topology.YELLOW,
    },
)


def get_default_hand_landmarks_style() -> Mapping[int, DrawingSpec]:
    """Filled dots, each finger in its own colour; by `HandLandmark`."""
    return {
        index: _spec(color, thickness=-1, circle_radius=5)
        for indices, color in topology.HAND_LANDMARK_COLORS
        for index in indices
    }


def get_default_hand_connections_style() -> Mapping[Connection, DrawingSpec]:
    """The palm grey and wider, each finger in its own colour; by pair of `HAND_CONNECTIONS`."""
    return {
        connection: _spec(color, thickness=3 if path in topology.PALM else 2)
        for path, color in topology.HAND_PATHS
        for connection in along([path])
    }


def get_default_face_mesh_contours_style(i: int = 0) -> Mapping[Connection, DrawingSpec]:
    """The contours of a face; by pair of `FACEMESH_CONTOURS`.

    Args:
        i: 1 for the livelier of the two styles, which has the nose as well.
    """
    chosen = _CONTOURS[1 if i == 1 else 0]
    return {connection: _spec(color) for part, color in chosen.items() for connection in part}


def get_default_face_mesh_tesselation_style() -> DrawingSpec:
    """Thin and grey, for `FACEMESH_TESSELATION`."""
    return _spec(topology.GRAY, thickness=1)


def get_default_face_mesh_iris_connections_style() -> Mapping[Connection, DrawingSpec]:
    """The left iris green, the right one red; by pair of `FACEMESH_IRISES`."""
    sides = ((FACEMESH_LEFT_IRIS, topology.GREEN), (FACEMESH_RIGHT_IRIS, topology.RED))
    return {connection: _spec(color) for iris, color in sides for connection in iris}


def get_default_pose_landmarks_style() -> Mapping[int, DrawingSpec]:
    """The person's left side orange, the right one cyan, the nose white; by `PoseLandmark`."""
    return {index: _spec(color) for indices, color in topology.POSE_LANDMARK_COLORS for index in indices}


def _spec(color: topology.Color, thickness: int = 2, circle_radius: int = 2) -> DrawingSpec:
    """What draws in a colour given as RGB."""
    red, green, blue = color
    return DrawingSpec((blue, green, red), thickness, circle_radius)
