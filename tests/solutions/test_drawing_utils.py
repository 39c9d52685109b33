from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from graphflow.calculators import payloads

from graphflow.solutions import drawing_styles, drawing_utils, hands
from graphflow.solutions.detections import Detection
from graphflow.solutions.drawing_utils import DrawingSpec, draw_axis, draw_detection, draw_landmarks
from graphflow.solutions.landmarks import NormalizedLandmark, NormalizedLandmarkList

FACE = payloads.Detection(
    box=np.array([0.25, 0.25, 0.5, 0.5], np.float32),
    scores=np.array([0.9], np.float32),
    keypoints=np.array([[0.5, 0.5], [1.5, 0.5]], np.float32),
)


def blank() -> np.ndarray:
    return np.full((80, 100, 3), 100, np.uint8)


def hand(count: int = 21) -> NormalizedLandmarkList:
    """Points along a spiral, all on the image."""
    turn = np.linspace(0, 5, count)
    xyz = np.stack([0.5 + 0.08 * turn * np.cos(turn), 0.5 + 0.08 * turn * np.sin(turn), turn], 1)
    return NormalizedLandmarkList.of(payloads.NormalizedLandmarkList(xyz.astype(np.float32)))


def dots(*places: tuple[float, ...]) -> NormalizedLandmarkList:
    return NormalizedLandmarkList([NormalizedLandmark(*place) for place in places])


def color(image: np.ndarray, x: int, y: int) -> tuple[int, ...]:
    return tuple(image[y, x].tolist())


def test_dots_with_a_rim_over_lines() -> None:
    image = blank()
    filled = DrawingSpec(color=(1, 2, 3), thickness=-1, circle_radius=3)
    draw_landmarks(image, dots((0.25, 0.5), (0.75, 0.5)), [(0, 1)], filled, DrawingSpec((7, 8, 9), thickness=1))
    assert color(image, 25, 40) == color(image, 75, 40) == (1, 2, 3)
    assert color(image, 50, 40) == (7, 8, 9)
    assert color(image, 25, 44) == drawing_utils.WHITE_COLOR
    assert color(image, 50, 20) == (100, 100, 100)


@pytest.mark.parametrize(
    ("arguments", "dot", "line"),
    [
        ({}, True, True),
        ({"landmark_drawing_spec": None}, False, True),
        ({"is_drawing_landmarks": False}, False, True),
        ({"connection_drawing_spec": None}, True, False),
        ({"connections": None}, True, False),
    ],
)
def test_what_can_be_left_out(arguments: dict[str, Any], dot: bool, line: bool) -> None:
    image = blank()
    draw_landmarks(image, dots((0.25, 0.5), (0.75, 0.5)), **{"connections": [(0, 1)], **arguments})
    assert (color(image, 25, 37) != (100, 100, 100)) == dot
    assert (color(image, 50, 40) != (100, 100, 100)) == line


@pytest.mark.parametrize(
    "hidden",
    [
        (0.5, 0.5, 0.0, 0.49),
        (0.5, 0.5, 0.0, None, 0.49),
        (-0.001, 0.5),
        (0.5, 1.001),
        (float("nan"), 0.5),
    ],
)
def test_hidden_landmarks_and_their_connections_are_left_out(hidden: tuple[float, ...]) -> None:
    image = blank()
    draw_landmarks(image, dots(hidden, hidden), [(0, 1)])
    assert (image == 100).all()


def test_the_edges_of_the_image_are_on_it() -> None:
    image = blank()
    draw_landmarks(image, dots((0, 0, 0, 0.5), (1, 1)), landmark_drawing_spec=DrawingSpec((1, 2, 3), -1, 1))
    assert color(image, 0, 0) == color(image, 99, 79) == (1, 2, 3)


def test_other_peoples_messages_are_drawn() -> None:
    class Foreign(SimpleNamespace):
        def HasField(self, name: str) -> bool:  # noqa: N802
            return name != "presence"

    points = hand()
    theirs = [Foreign(x=each.x, y=each.y, z=each.z, visibility=1.0, presence=0.0) for each in points.landmark]
    image, expected = blank(), blank()
    draw_landmarks(image, SimpleNamespace(landmark=theirs), hands.HAND_CONNECTIONS)
    draw_landmarks(expected, points, hands.HAND_CONNECTIONS)
    np.testing.assert_array_equal(image, expected)
    assert (image != 100).any()


def test_nothing_to_draw() -> None:
    image = blank()
    draw_landmarks(image, None)
    draw_landmarks(image, NormalizedLandmarkList(), [])
    assert (image == 100).all()


def test_a_detection_off_the_image_in_part() -> None:
    image = blank()
    draw_detection(image, Detection(FACE), DrawingSpec((1, 2, 3), -1))
    assert color(image, 50, 40) == (1, 2, 3)
    assert color(image, 25, 40) == color(image, 75, 60) == drawing_utils.WHITE_COLOR
    image = blank()
    wide = payloads.Detection(box=np.array([-0.5, -0.5, 2, 2], np.float32), scores=FACE.scores)
    draw_detection(image, Detection(wide))
    assert color(image, 0, 0) == color(image, 99, 79) == drawing_utils.WHITE_COLOR


def test_axes_point_where_they_should() -> None:
    image = blank()
    draw_axis(image, np.eye(3), np.array([0.0, 0.0, -1.0]), axis_length=0.5)
    assert color(image, 70, 40) == drawing_utils.RED_COLOR
    assert color(image, 50, 25) == drawing_utils.GREEN_COLOR
    assert color(image, 30, 40) == (100, 100, 100)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: draw_landmarks(np.zeros((9, 9, 4), np.uint8), hand()), r"three channels, BGR, .* \[9, 9, 4\]"),
        (lambda: draw_detection(np.zeros((9, 9), np.uint8), Detection(FACE)), r"three channels.* \[9, 9\]"),
        (lambda: draw_axis(np.zeros((9, 9, 1), np.uint8), np.eye(3), np.zeros(3)), "three channels"),
        (lambda: draw_landmarks(blank(), hand(), [(0, 21)]), r"connection \(0, 21\) names a landmark .* there are 21"),
        (lambda: draw_landmarks(blank(), hand(), [(-1, 2)]), r"connection \(-1, 2\)"),
    ],
)
def test_wrong_arguments(call: Callable[[], None], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_detection_in_pixels_is_refused() -> None:
    location = SimpleNamespace(format=1)
    with pytest.raises(ValueError, match="shares of the image size, not format 1"):
        draw_detection(blank(), SimpleNamespace(location_data=location))


def test_the_private_name_that_scripts_call() -> None:
    to_pixel = drawing_utils._normalized_to_pixel_coordinates
    assert to_pixel(0.5, 0.25, 640, 480) == (320, 120)
    assert to_pixel(1.0, 1.0, 640, 480) == (639, 479)
    assert to_pixel(1.0001, 0.5, 640, 480) is None
    assert to_pixel(0.5, -0.0001, 640, 480) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw",
    [
        "draw.draw_landmarks(image, landmarks, hands.HAND_CONNECTIONS)",
        "draw.draw_landmarks(image, landmarks, sorted(hands.HAND_CONNECTIONS),"
        " styles.get_default_hand_landmarks_style(), styles.get_default_hand_connections_style())",
        "draw.draw_axis(image, numpy.eye(3), numpy.array([0.1, 0.2, -1.0]), (1.2, 1.3), (0.1, 0.0), 0.4)",
    ],
)
def test_the_same_pixels_as_mediapipe(draw: str, peer: Callable[[str], Any]) -> None:
    image, points = np.zeros((240, 320, 3), np.uint8), hand()
    exec(draw, {
        "draw": drawing_utils, "styles": drawing_styles, "hands": hands, "image": image, "landmarks": points,
        "numpy": np,
    })  # fmt: skip
    theirs = peer(f"""
import numpy
import mediapipe as mp
from mediapipe.framework.formats import landmark_pb2
draw, styles, hands = mp.solutions.drawing_utils, mp.solutions.drawing_styles, mp.solutions.hands
landmarks = landmark_pb2.NormalizedLandmarkList()
landmarks.landmark.extend(landmark_pb2.NormalizedLandmark(x=x, y=y, z=z) for x, y, z in {points.array.tolist()})
image = numpy.zeros((240, 320, 3), numpy.uint8)
{draw}
answer = image.tolist()
""")
    np.testing.assert_array_equal(image, theirs)
    assert image.any()
