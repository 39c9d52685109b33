"""What the solutions find on real images, and how their arguments change it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import graphflow.compat as mp
from graphflow.errors import ModelError
from graphflow.inference import ModelStore
from graphflow.solutions import pose_results
from graphflow.solutions.detections import Detection
from graphflow.solutions.landmarks import LandmarkList, NormalizedLandmarkList

Image = npt.NDArray[np.uint8]
Holistic, Pose = mp.solutions.holistic.Holistic, mp.solutions.pose.Pose
MultiHolistic = mp.solutions.multi_holistic.MultiHolistic
Hands, FaceMesh = mp.solutions.hands.Hands, mp.solutions.face_mesh.FaceMesh
FaceDetection = mp.solutions.face_detection.FaceDetection
SelfieSegmentation = mp.solutions.selfie_segmentation.SelfieSegmentation


@pytest.fixture(scope="module")
def picture(shared: Path) -> Callable[[str], Image]:
    """Shared images by name, RGB."""
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")

    def read(name: str) -> Image:
        bgr = cv2.imread(str(shared / "data" / "images" / name))
        assert bgr is not None
        return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]

    return read


def arrays(results: Any) -> dict[str, Any]:
    """The arrays of landmarks and masks."""
    return {name: getattr(value, "array", value) for name, value in results._asdict().items() if value is not None}


def test_static_images_do_not_influence_each_other(picture: Callable[[str], Image]) -> None:
    images = [picture("business_person.png"), picture("yoga.jpg"), picture("business_person.png")]
    with Holistic(static_image_mode=True, enable_segmentation=True, refine_face_landmarks=True) as holistic:
        first, second, third = (arrays(holistic.process(image)) for image in images)
    with Holistic(static_image_mode=True, enable_segmentation=True, refine_face_landmarks=True) as fresh:
        alone = arrays(fresh.process(images[1]))
    assert set(first) == set(mp.solutions.holistic.HolisticResults._fields)
    assert "face_landmarks" not in second
    for one, other in ((first, third), (second, alone)):
        assert set(one) == set(other)
        for name, array in one.items():
            np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_a_person_is_followed_and_smoothed_in_video_mode(picture: Callable[[str], Image]) -> None:
    image = picture("pose.jpg")
    moved = np.roll(image, 8, axis=1)
    found = {}
    for smooth in (False, True):
        with Pose(smooth_landmarks=smooth) as pose:
            found[smooth] = [pose.process(each).pose_landmarks.array[0, 0] for each in (image, moved)]
    assert found[False][0] == found[True][0]
    assert found[True][1] - found[True][0] < found[False][1] - found[False][0]


def test_body_landmarks(picture: Callable[[str], Image]) -> None:
    with Pose(static_image_mode=True, enable_segmentation=True) as pose:
        results = pose.process(picture("pose.jpg"))
    points, world, mask = results
    assert isinstance(points, NormalizedLandmarkList)
    assert isinstance(world, LandmarkList)
    assert not isinstance(world, NormalizedLandmarkList)
    assert points.array.shape == world.array.shape == (33, 3)
    assert points.landmark[0].HasField("visibility")
    assert not points.landmark[0].HasField("presence")
    assert (mask.shape, mask.dtype) == ((667, 1000), np.float32)
    assert 0 <= mask.min() < 0.01 < 0.99 < mask.max() <= 1
    hips = world.array[[mp.solutions.pose.PoseLandmark.LEFT_HIP, mp.solutions.pose.PoseLandmark.RIGHT_HIP]]
    np.testing.assert_allclose(hips.mean(axis=0), 0, atol=0.02)


def test_a_mask_only_where_it_was_asked_for(picture: Callable[[str], Image]) -> None:
    with Pose(static_image_mode=True) as pose:
        results = pose.process(picture("pose.jpg"))
    assert results.segmentation_mask is None
    assert results.pose_landmarks is not None


@pytest.mark.parametrize(
    ("solution", "name", "field", "count", "length"),
    [
        (lambda: Hands(static_image_mode=True), "hands.jpg", "multi_hand_landmarks", 2, 21),
        (lambda: Hands(static_image_mode=True, model_complexity=0), "hands.jpg", "multi_hand_world_landmarks", 2, 21),
        (lambda: Hands(static_image_mode=True, max_num_hands=1), "hands.jpg", "multi_hand_landmarks", 1, 21),
        (lambda: Hands(min_detection_confidence=0.999), "hands.jpg", "multi_hand_landmarks", 0, 21),
        (lambda: Hands(min_tracking_confidence=1.1), "hands.jpg", "multi_hand_landmarks", 0, 21),
        (lambda: FaceMesh(max_num_faces=3), "three_people.jpg", "multi_face_landmarks", 3, 468),
        (lambda: FaceMesh(refine_landmarks=True), "three_people.jpg", "multi_face_landmarks", 1, 478),
        (lambda: FaceMesh(min_detection_confidence=0.999), "three_people.jpg", "multi_face_landmarks", 0, 468),
        (lambda: FaceMesh(min_tracking_confidence=1.1), "three_people.jpg", "multi_face_landmarks", 0, 468),
    ],
)
def test_how_many_are_found(
    solution: Callable[[], Any], name: str, field: str, count: int, length: int, picture: Callable[[str], Image]
) -> None:
    with solution() as made:
        found = getattr(made.process(picture(name)), field)
    assert (found is None) == (count == 0)
    assert [len(each.landmark) for each in found or []] == [length] * count


@pytest.mark.parametrize("arguments", [{"min_detection_confidence": 0.9999}, {"min_tracking_confidence": 1.1}])
@pytest.mark.parametrize("solution", [Pose, Holistic])
def test_thresholds_of_the_body(solution: Any, arguments: dict[str, float], picture: Callable[[str], Image]) -> None:
    with solution(**arguments) as made:
        assert set(made.process(picture("pose.jpg"))) == {None}


def test_handedness_of_a_mirrored_hand(picture: Callable[[str], Image]) -> None:
    image = picture("hands.jpg")
    seen = {}
    with Hands(static_image_mode=True) as hands:
        for mirrored in (False, True):
            found = hands.process(image[:, ::-1] if mirrored else image).multi_handedness
            seen[mirrored] = [(hand.classification[0].label, hand.classification[0].index) for hand in found]
            assert all(0.5 < hand.classification[0].score <= 1 for hand in found)
    assert seen == {False: [("Right", 1)] * 2, True: [("Left", 0)] * 2}


@pytest.mark.parametrize(("model", "expected"), [(0, 0.92189), (1, 0.91459)])
def test_faces(model: int, expected: float, picture: Callable[[str], Image]) -> None:
    with FaceDetection(model_selection=model) as faces:
        (face,) = faces.process(picture("portrait.jpg")).detections
    assert isinstance(face, Detection)
    assert face.score == [pytest.approx(expected, abs=1e-3)]
    assert face.label_id == [0]
    assert len(face.location_data.relative_keypoints) == 6
    with FaceDetection(min_detection_confidence=0.999, model_selection=model) as faces:
        assert faces.process(picture("portrait.jpg")).detections is None


@pytest.mark.parametrize("model", [0, 1])
def test_masks(model: int, picture: Callable[[str], Image]) -> None:
    with SelfieSegmentation(model_selection=model) as selfie:
        mask = selfie.process(picture("portrait.jpg")).segmentation_mask
    assert mask is not None
    assert (mask.shape, mask.dtype) == ((1024, 820), np.float32)
    assert mask.mean() == pytest.approx(0.51, abs=0.01)


@pytest.mark.parametrize("segmentation", [False, True])
def test_the_lite_model_of_the_body(
    segmentation: bool, picture: Callable[[str], Image], shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lite = shared / "data" / "models" / "pose_landmark_lite_2021-08.tflite"
    card = dataclasses.replace(pose_results._MODELS[0], url=lite.as_uri())
    monkeypatch.setitem(pose_results._MODELS, 0, card)
    image = picture("pose.jpg")
    with Pose(static_image_mode=True, model_complexity=0, enable_segmentation=segmentation) as pose:
        faster = pose.process(image)
    with Pose(static_image_mode=True, enable_segmentation=segmentation) as pose:
        usual = pose.process(image)
    gap_px = np.abs(faster.pose_landmarks.array[:, :2] - usual.pose_landmarks.array[:, :2]) * (1000, 667)
    assert 0.1 < np.median(gap_px) < 10
    assert (faster.segmentation_mask is None) != segmentation


def test_several_people_have_the_fields_of_one(picture: Callable[[str], Image]) -> None:
    image = picture("pose.jpg")
    twice = np.concatenate([image, image], axis=1)
    with MultiHolistic(static_image_mode=True) as multi, Holistic(static_image_mode=True) as single:
        alone = multi.process(image).people
        reference = single.process(image)
        both = multi.process(twice).people
        nobody = multi.process(np.zeros_like(image)).people
    assert list(alone) == [1]
    for name, value in arrays(reference).items():
        np.testing.assert_array_equal(getattr(alone[1], name).array, value, err_msg=name)
    assert [set(arrays(person)) >= {"pose_landmarks", "pose_world_landmarks"} for person in both.values()] == [True] * 2
    assert sorted(person.pose_landmarks.array[0, 0] > 0.5 for person in both.values()) == [False, True]
    assert nobody == {}
