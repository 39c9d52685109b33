"""The iris graph. MediaPipe's Python package cannot run its own, so nothing is recorded of it: what another model of
MediaPipe says of the same irises has to do, and a mirror."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.flow.split import take
from graphflow.calculators.payloads import NormalizedLandmarkList
from recorded_lists import Recorded, recorded_images, run_images
from recordings import run

STREAM = "face_landmarks_with_iris"
IRISES = (slice(468, 473), slice(473, 478))
CORNERS = ((33, 133), (362, 263))


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Recorded:
    """What the attention model says, of faces large enough to tell a good iris from a bad one."""
    images = recorded_images(shared, "face_mesh_refine")
    names = images.golden["names"].tolist()
    rows = [names.index(name) for name in ("portrait.jpg", "business_person.png")]
    golden = {key: array[rows] for key, array in images.golden.items()}
    return Recorded([images.frames[row] for row in rows], golden, images.sizes[rows])


def test_both_models_see_the_same_irises(recorded: Recorded) -> None:
    params = {"use_previous_landmarks": False}
    found = run_images("iris", recorded.frames, (STREAM,), params)[STREAM]
    for (face,), others, size in zip(found, recorded.golden["multi_face_landmarks"], recorded.sizes, strict=True):
        assert len(face) == 478
        ours, theirs = face.xyz[:, :2] * size, others[0, :, :2] * size
        for iris, (outer, inner) in zip(IRISES, CORNERS, strict=True):
            width = np.linalg.norm(theirs[outer] - theirs[inner])
            assert np.linalg.norm(ours[iris][0] - theirs[iris][0]) < 0.1 * width
            assert _radius(ours[iris]) == pytest.approx(_radius(theirs[iris]), rel=0.15)


def test_eyes_of_a_mirrored_image_change_places(recorded: Recorded) -> None:
    image, face = recorded.frames[0], recorded.golden["multi_face_landmarks"][0, 0]
    left, right = (take(NormalizedLandmarkList(face), corners) for corners in CORNERS)
    streams = (
        "left_eye_contour_landmarks",
        "left_iris_landmarks",
        "right_eye_contour_landmarks",
        "right_iris_landmarks",
    )
    eyes = run("IrisLandmarkLeftAndRight", [image], streams, _corners(left, right))
    turned = _corners(_mirrored(right), _mirrored(left))
    mirrored = run("IrisLandmarkLeftAndRight", [np.ascontiguousarray(image[:, ::-1])], streams, turned)
    for part, count in (("eye_contour_landmarks", 71), ("iris_landmarks", 5)):
        for side, other in (("left", "right"), ("right", "left")):
            ours, theirs = eyes[f"{side}_{part}"][0], _mirrored(mirrored[f"{other}_{part}"][0])
            assert len(ours) == count
            assert np.abs((ours.xyz - theirs.xyz)[:, :2] * recorded.sizes[0]).max() < 1.0


def _corners(left: NormalizedLandmarkList, right: NormalizedLandmarkList) -> dict[str, list[NormalizedLandmarkList]]:
    return {"left_eye_boundary_landmarks": [left], "right_eye_boundary_landmarks": [right]}


def _mirrored(landmarks: NormalizedLandmarkList) -> NormalizedLandmarkList:
    """In the mirrored image; two corners in their order from left to right."""
    xyz = landmarks.xyz * np.array([-1, 1, 1], np.float32) + np.array([1, 0, 0], np.float32)
    return NormalizedLandmarkList(xyz[::-1].copy() if len(xyz) == 2 else xyz)


def _radius(iris: npt.NDArray[np.float32]) -> float:
    return float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
