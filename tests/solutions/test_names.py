"""Enums, connections, styles and signatures are MediaPipe's: as recorded, and as it says itself where it is at hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

import graphflow.compat as mp

DESCRIPTION = """
import dataclasses, enum, inspect

def plain(value):
    if dataclasses.is_dataclass(value):
        return [list(value.color), value.thickness, value.circle_radius]
    if isinstance(value, dict):
        return sorted([plain(key), plain(item)] for key, item in value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(map(list, value))
    if isinstance(value, tuple):
        return list(value)
    return int(value) if isinstance(value, int) else value

answer = {}
for module in (solutions.drawing_styles, solutions.drawing_utils, solutions.face_detection, solutions.face_mesh,
               solutions.face_mesh_connections, solutions.hands, solutions.hands_connections, solutions.holistic,
               solutions.pose, solutions.pose_connections, solutions.selfie_segmentation):
    where = module.__name__.rpartition(".")[2]
    for name, value in sorted(vars(module).items()):
        if name == "HAND_PALM_CONNECTIONS":
            value = frozenset(value)
        if name.startswith("_") or where == "drawing_styles" and not name.startswith("get_"):
            continue
        if isinstance(value, (frozenset, tuple)):
            answer[f"{where}.{name}"] = plain(value)
        elif isinstance(value, enum.EnumMeta) and value is not enum.IntEnum:
            answer[f"{where}.{name}"] = [[item.name, int(item)] for item in value]
        elif name.startswith("get_default"):
            answer[f"{where}.{name}()"] = plain(value())
            if inspect.signature(value).parameters:
                answer[f"{where}.{name}(1)"] = plain(value(1))
        elif inspect.isclass(value) and issubclass(value, solution_class) and value is not solution_class:
            answer[f"{where}.{name}"] = [[p.name, p.default] for p in inspect.signature(value).parameters.values()]
            answer[f"{where}.{name}.process"] = list(inspect.signature(value.process).parameters)
        elif inspect.isfunction(value) and name.startswith(("draw_", "plot_", "get_key")):
            taken = inspect.signature(value).parameters.values()
            answer[f"{where}.{name}()"] = [[p.name, plain(p.default)] for p in taken if p.default is not p.empty]
            answer[f"{where}.{name} takes"] = [p.name for p in taken]
"""

RECORDED: dict[str, tuple[int, str]] = {
    "drawing_styles.get_default_face_mesh_contours_style()": (124, "79756d00ebbb"),
    "drawing_styles.get_default_face_mesh_contours_style(1)": (149, "88aae0cb1054"),
    "drawing_styles.get_default_face_mesh_iris_connections_style()": (8, "b0ead100e51f"),
    "drawing_styles.get_default_face_mesh_tesselation_style()": (3, "d4353ba346b3"),
    "drawing_styles.get_default_hand_connections_style()": (21, "f5009a4074e7"),
    "drawing_styles.get_default_hand_landmarks_style()": (21, "b1733bd23a82"),
    "drawing_styles.get_default_pose_landmarks_style()": (33, "be3765a8f24b"),
    "drawing_utils.BLACK_COLOR": (3, "ef07a1fd1a78"),
    "drawing_utils.BLUE_COLOR": (3, "18d00ea0947d"),
    "drawing_utils.GREEN_COLOR": (3, "4d0d665f3cd4"),
    "drawing_utils.RED_COLOR": (3, "17d96b41eedc"),
    "drawing_utils.WHITE_COLOR": (3, "83a8d59e8370"),
    "drawing_utils.draw_axis()": (4, "85fb06170799"),
    "drawing_utils.draw_axis takes": (7, "77987225a48c"),
    "drawing_utils.draw_detection()": (2, "3d34e48db223"),
    "drawing_utils.draw_detection takes": (4, "88504562b53d"),
    "drawing_utils.draw_landmarks()": (4, "bc27bd20b6bc"),
    "drawing_utils.draw_landmarks takes": (6, "d5cdc810679f"),
    "drawing_utils.plot_landmarks()": (5, "e3ec707179c4"),
    "drawing_utils.plot_landmarks takes": (6, "a070514e227f"),
    "face_detection.FaceDetection": (2, "196030ce9dff"),
    "face_detection.FaceDetection.process": (2, "273edb1d93bb"),
    "face_detection.FaceKeyPoint": (6, "572b34f50c65"),
    "face_detection.get_key_point()": (0, "4f53cda18c2b"),
    "face_detection.get_key_point takes": (2, "96433dc9af38"),
    "face_mesh.FACEMESH_CONTOURS": (124, "82c8f26e8fc9"),
    "face_mesh.FACEMESH_FACE_OVAL": (36, "4abe9ea4043d"),
    "face_mesh.FACEMESH_IRISES": (8, "a5593857e89c"),
    "face_mesh.FACEMESH_LEFT_EYE": (16, "ad7d5d424056"),
    "face_mesh.FACEMESH_LEFT_EYEBROW": (8, "d881a77a5c1e"),
    "face_mesh.FACEMESH_LEFT_IRIS": (4, "f72508317874"),
    "face_mesh.FACEMESH_LIPS": (40, "1cd17915b0f4"),
    "face_mesh.FACEMESH_NOSE": (25, "e1ff7e71b2e8"),
    "face_mesh.FACEMESH_RIGHT_EYE": (16, "6e8fb01916b9"),
    "face_mesh.FACEMESH_RIGHT_EYEBROW": (8, "b1abddb5a696"),
    "face_mesh.FACEMESH_RIGHT_IRIS": (4, "10ce250bd4ee"),
    "face_mesh.FACEMESH_TESSELATION": (2556, "1c20f17858d6"),
    "face_mesh.FaceMesh": (5, "88e8f2d6c18c"),
    "face_mesh.FaceMesh.process": (2, "273edb1d93bb"),
    "face_mesh_connections.FACEMESH_CONTOURS": (124, "82c8f26e8fc9"),
    "face_mesh_connections.FACEMESH_FACE_OVAL": (36, "4abe9ea4043d"),
    "face_mesh_connections.FACEMESH_IRISES": (8, "a5593857e89c"),
    "face_mesh_connections.FACEMESH_LEFT_EYE": (16, "ad7d5d424056"),
    "face_mesh_connections.FACEMESH_LEFT_EYEBROW": (8, "d881a77a5c1e"),
    "face_mesh_connections.FACEMESH_LEFT_IRIS": (4, "f72508317874"),
    "face_mesh_connections.FACEMESH_LIPS": (40, "1cd17915b0f4"),
    "face_mesh_connections.FACEMESH_NOSE": (25, "e1ff7e71b2e8"),
    "face_mesh_connections.FACEMESH_RIGHT_EYE": (16, "6e8fb01916b9"),
    "face_mesh_connections.FACEMESH_RIGHT_EYEBROW": (8, "b1abddb5a696"),
    "face_mesh_connections.FACEMESH_RIGHT_IRIS": (4, "10ce250bd4ee"),
    "face_mesh_connections.FACEMESH_TESSELATION": (2556, "1c20f17858d6"),
    "hands.HAND_CONNECTIONS": (21, "9c117b0a4616"),
    "hands.HandLandmark": (21, "d26ae898171c"),
    "hands.Hands": (5, "ea8f5ffb7076"),
    "hands.Hands.process": (2, "273edb1d93bb"),
    "hands_connections.HAND_CONNECTIONS": (21, "9c117b0a4616"),
    "hands_connections.HAND_INDEX_FINGER_CONNECTIONS": (3, "b8bec199589c"),
    "hands_connections.HAND_MIDDLE_FINGER_CONNECTIONS": (3, "75c780496adc"),
    "hands_connections.HAND_PALM_CONNECTIONS": (6, "cdb47a595db7"),
    "hands_connections.HAND_PINKY_FINGER_CONNECTIONS": (3, "bbe7a6795666"),
    "hands_connections.HAND_RING_FINGER_CONNECTIONS": (3, "99a478c399c7"),
    "hands_connections.HAND_THUMB_CONNECTIONS": (3, "26a702fc1e9a"),
    "holistic.FACEMESH_CONTOURS": (124, "82c8f26e8fc9"),
    "holistic.FACEMESH_TESSELATION": (2556, "1c20f17858d6"),
    "holistic.HAND_CONNECTIONS": (21, "9c117b0a4616"),
    "holistic.HandLandmark": (21, "d26ae898171c"),
    "holistic.Holistic": (8, "deaae3573c11"),
    "holistic.Holistic.process": (2, "273edb1d93bb"),
    "holistic.POSE_CONNECTIONS": (35, "f0b8bbef80ab"),
    "holistic.PoseLandmark": (33, "a5cb6bf94bde"),
    "pose.POSE_CONNECTIONS": (35, "f0b8bbef80ab"),
    "pose.Pose": (7, "d367ca3adc3a"),
    "pose.Pose.process": (2, "273edb1d93bb"),
    "pose.PoseLandmark": (33, "a5cb6bf94bde"),
    "pose_connections.POSE_CONNECTIONS": (35, "f0b8bbef80ab"),
    "selfie_segmentation.SelfieSegmentation": (1, "377955bb6e7a"),
    "selfie_segmentation.SelfieSegmentation.process": (2, "273edb1d93bb"),
}
"""Of each name the length and the first digits of the SHA-256 of what MediaPipe 0.10.21 has under it."""


def ours() -> dict[str, Any]:
    from graphflow.solutions.solution import Solution

    names: dict[str, Any] = {"solutions": mp.solutions, "solution_class": Solution}
    exec(DESCRIPTION, names)
    answer: dict[str, Any] = json.loads(json.dumps(names["answer"]))
    return answer


def digest(value: Any) -> tuple[int, str]:
    return len(value), hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]


def test_names_have_the_recorded_values() -> None:
    found = {name: digest(value) for name, value in ours().items()}
    assert {name: found.get(name) for name in RECORDED} == RECORDED
    assert len(RECORDED) > 50


@pytest.mark.slow
def test_names_have_mediapipes_values(peer: Callable[[str], Any]) -> None:
    theirs = peer(
        "import mediapipe as mp\nfrom mediapipe.python.solution_base import SolutionBase as solution_class\n"
        f"solutions = mp.solutions\n{DESCRIPTION}"
    )
    found = ours()
    assert {name: found.get(name) for name in theirs} == theirs
    assert {name: digest(value) for name, value in theirs.items()} == RECORDED
