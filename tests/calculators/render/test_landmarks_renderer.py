from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from graphflow.calculators.payloads import Detection, NormalizedLandmarkList
from graphflow.calculators.render.drawing import draw_face, draw_hand, draw_pose, shown_in_detail
from graphflow.calculators.render.face_mesh import FACE_TESSELATION
from graphflow.calculators.render.landmarks_renderer import LandmarksRenderer
from graphflow.calculators.render.topology import (
    COCO_LANDMARK_COLORS,
    COCO_PATHS,
    CYAN,
    FACE_CONTOURS,
    HAND_LANDMARK_COLORS,
    HAND_PATHS,
    ORANGE,
    POSE_LANDMARK_COLORS,
    POSE_PATHS,
    RED,
    WHITE,
)

from graphflow.testing import run_calculator

GREY = np.full((480, 640, 3), 100, np.uint8)


def spread(count: int, columns: int = 7) -> NormalizedLandmarkList:
    """Landmarks on a grid, far enough apart to tell each from the next."""
    index = np.arange(count)
    rows = -(-count // columns)
    xyz = np.zeros((count, 3), np.float32)
    xyz[:, 0] = (index % columns + 0.5) / columns
    xyz[:, 1] = (index // columns + 0.5) / rows
    return NormalizedLandmarkList(xyz)


def at(image: np.ndarray, landmarks: NormalizedLandmarkList, index: int) -> tuple[int, ...]:
    x, y = landmarks.xyz[index, :2] * (image.shape[1], image.shape[0])
    return tuple(int(value) for value in image[int(y), int(x)])


def render(image: np.ndarray = GREY, **inputs: Any) -> np.ndarray:
    fed = {tag.replace("_0", ":0").replace("_1", ":1"): [(0, value)] if value else [] for tag, value in inputs.items()}
    ((timestamp, annotated),) = run_calculator(LandmarksRenderer, {"IMAGE": [(0, image)], **fed})["IMAGE"]
    assert timestamp == 0
    return annotated  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("edges", "vertices", "paths"),
    [
        (35, 33, POSE_PATHS),
        (16, 17, COCO_PATHS),
        (21, 21, [path for path, _ in HAND_PATHS]),
        (124, 128, [path for paths, _ in FACE_CONTOURS for path in paths]),
        (1322, 468, FACE_TESSELATION),
    ],
)
def test_every_edge_is_there_once(edges: int, vertices: int, paths: Any) -> None:
    found = [tuple(sorted(edge)) for path in paths for edge in pairwise(path)]
    assert len(found) == len(set(found)) == edges
    assert len({index for edge in found for index in edge}) == vertices


@pytest.mark.parametrize(
    ("count", "colors"), [(33, POSE_LANDMARK_COLORS), (17, COCO_LANDMARK_COLORS), (21, HAND_LANDMARK_COLORS)]
)
def test_every_landmark_has_one_colour(count: int, colors: Any) -> None:
    assert sorted(index for indices, _ in colors for index in indices) == list(range(count))


def test_landmarks_are_drawn_where_they_are_and_the_input_stays() -> None:
    image, pose = GREY.copy(), spread(33)
    annotated = render(image, POSE_LANDMARKS=pose)
    assert (image == GREY).all()
    assert at(annotated, pose, 11) == ORANGE
    assert at(annotated, pose, 12) == CYAN
    assert (annotated[:20] == 100).all()


def test_two_hands() -> None:
    left, right = spread(21), spread(21, 3)
    annotated = render(HAND_LANDMARKS_0=left, HAND_LANDMARKS_1=right)
    assert at(annotated, right, 0) == at(render(HAND_LANDMARKS_0=left), left, 0) == RED
    assert (annotated == render(HAND_LANDMARKS_0=None, HAND_LANDMARKS_1=right)).mean() < 1


def test_lists_are_drawn_like_their_items() -> None:
    left, right = spread(21), spread(21, 3)
    assert (render(HAND_LANDMARKS=[left, right]) == render(HAND_LANDMARKS_0=left, HAND_LANDMARKS_1=right)).all()
    assert (render(HAND_LANDMARKS=[]) == GREY).all()


@pytest.mark.parametrize(
    "box",
    [
        Detection(np.array([0.25, 0.25, 0.5, 0.5], np.float32)),
        Detection(np.array([160, 120, 320, 240]), box_format="pixel"),
    ],
)
def test_detections_are_boxes_with_keypoints(box: Detection) -> None:
    detection = replace(box, keypoints=np.array([[0.5, 0.5], [np.nan, 0.5]], np.float32))
    annotated = render(DETECTIONS=[detection])
    assert tuple(annotated[240, 320]) == RED
    assert tuple(annotated[120, 400]) == tuple(annotated[300, 480]) == WHITE
    assert tuple(annotated[200, 250]) == (100, 100, 100)
    assert (annotated[:110] == 100).all()


@pytest.mark.parametrize("detection", [Detection(None), Detection(np.array([np.nan, 0, 1, 1], np.float32))])
def test_a_detection_without_place_is_not_drawn(detection: Detection) -> None:
    assert (render(DETECTIONS=[detection]) == GREY).all()


def test_irises_are_rings_in_the_colours_of_their_eyes() -> None:
    face = spread(478, 40)
    for centre, first in (((0.3, 0.02), 468), ((0.7, 0.02), 473)):
        around = np.array([(0, 0), (0.03, 0), (0, -0.04), (-0.03, 0), (0, 0.04)], np.float32)
        face.xyz[first : first + 5, :2] = centre + around
    annotated = render(FACE_LANDMARKS=face)
    right, left = at(annotated, face, 472), at(annotated, face, 477)  # the rings are thin, so they blend
    assert right[0] > 150 > 100 > max(right[1:])
    assert left[1] > 150 > 100 > max(left[0], left[2])


def test_an_image_without_anything_passes_as_it_is() -> None:
    image = GREY.copy()
    assert render(image, POSE_LANDMARKS=None) is image


@pytest.mark.parametrize("confidence", ["visibility", "presence"])
def test_hidden_landmarks_are_left_out_with_their_bones(confidence: str) -> None:
    pose = spread(33)
    sure = np.ones(33, np.float32)
    sure[[13, 14]] = 0.49
    sure[15] = 0.5
    partly = NormalizedLandmarkList(pose.xyz, **{confidence: sure})
    annotated = render(POSE_LANDMARKS=partly)
    assert at(annotated, pose, 13) == at(annotated, pose, 14) == (100, 100, 100)
    assert at(annotated, pose, 15) == at(annotated, pose, 11) == ORANGE
    nothing = NormalizedLandmarkList(pose.xyz, **{confidence: np.zeros(33, np.float32)})
    assert (render(POSE_LANDMARKS=nothing) == GREY).all()


@pytest.mark.parametrize(("draw", "count"), [(draw_pose, 33), (draw_hand, 21), (draw_face, 468)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -50.0, 1e30])
def test_landmarks_far_off_and_unknown_do_no_harm(draw: Any, count: int, value: float) -> None:
    image = GREY.copy()
    draw(image, NormalizedLandmarkList(np.full((count, 3), value, np.float32)))
    assert (image == GREY).all()
    landmarks = spread(count)
    landmarks.xyz[::5] = value
    draw(image, landmarks)
    assert (image != GREY).any()


@pytest.mark.parametrize(("draw", "count"), [(draw_pose, 33), (draw_hand, 21), (draw_face, 468)])
def test_too_few_landmarks(draw: Any, count: int) -> None:
    with pytest.raises(ValueError, match=f"expected {count} landmarks, not 5"):
        draw(GREY.copy(), spread(5))


def test_body_points_of_detailed_parts_are_left_out() -> None:
    pose = spread(33)
    face = NormalizedLandmarkList(pose.xyz[0] + np.float32(0.01) * (spread(468).xyz - np.float32(0.5)))
    hand = NormalizedLandmarkList(pose.xyz[16] + np.float32(0.1) * (spread(21).xyz - spread(21).xyz[0]))
    far = NormalizedLandmarkList(hand.xyz + np.float32(2))
    assert shown_in_detail(pose, [], []) == set()
    assert shown_in_detail(pose, [], [face]) == set(range(11))
    assert shown_in_detail(pose, [hand], []) == {18, 20, 22}
    assert shown_in_detail(pose, [far], []) == set()
    annotated = render(POSE_LANDMARKS=pose, HAND_LANDMARKS_0=hand)
    assert at(annotated, pose, 22) == (100, 100, 100)
    assert at(annotated, pose, 21) == ORANGE


def test_lines_are_wider_on_larger_images() -> None:
    pose = spread(33)
    share = [
        (render(np.full((height, width, 3), 100, np.uint8), POSE_LANDMARKS=pose) != 100).mean()
        for width, height in ((640, 480), (2560, 1920))
    ]
    assert share[0] / 2 < share[1] < share[0] * 1.5


def test_other_images_are_refused() -> None:
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\] RGB, not uint8 \[4, 4\]"):
        render(np.zeros((4, 4), np.uint8), POSE_LANDMARKS=spread(33))


def test_a_real_face_is_covered_by_its_mesh(shared: Path) -> None:
    goldens = np.load(shared / "data" / "goldens" / "images" / "holistic.npz")
    row = goldens["names"].tolist().index("portrait.jpg")
    face = NormalizedLandmarkList(goldens["face_landmarks"][row])
    image = cv2.imread(str(shared / "data" / "images" / "portrait.jpg"))
    annotated = render(image, FACE_LANDMARKS=face)
    changed = np.argwhere((annotated != image).any(axis=2))
    width_height = np.array([image.shape[1], image.shape[0]])
    low, high = face.xyz[:, :2].min(axis=0) * width_height, face.xyz[:, :2].max(axis=0) * width_height
    assert changed.min(axis=0)[::-1] == pytest.approx(low, abs=4)
    assert changed.max(axis=0)[::-1] == pytest.approx(high, abs=4)


def test_a_mask_dims_what_it_leaves_out() -> None:
    mask = np.zeros(GREY.shape[:2], np.float32)
    mask[:, :320] = 1
    fed = {"IMAGE": [(0, GREY)], "SEGMENTATION_MASK": [(0, mask)]}
    ((_, annotated),) = run_calculator(LandmarksRenderer, fed)["IMAGE"]
    assert (annotated[:, :320] == 100).all()
    assert (annotated[:, 320:] < 100).all()
