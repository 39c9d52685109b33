"""Shapes against what MediaPipe 0.10.21's AnnotationOverlayCalculator draws: the pixels of `overlay_golden.npz`."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest
from graphflow.calculators.render.render_data import (
    Box,
    GradientLines,
    Lines,
    Oval,
    Points,
    Rectangle,
    RenderData,
    Shape,
    Text,
)
from graphflow.calculators.render.shape_drawing import draw

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def gradient(ends: list[float], thickness: float, last: tuple[int, int, int], normalized: bool = False) -> Shape:
    return GradientLines(np.array([ends]), np.array([[RED, last]]), thickness, normalized)


def lines(ends: list[float], color: tuple[int, int, int], thickness: float, **flags: bool) -> Shape:
    return Lines(np.array([ends]), color, thickness, **flags)


CASES: dict[str, tuple[Shape, ...]] = {
    "point": (
        Points(np.array([[0.3, 0.403]]), RED, 4.0, normalized=True),
        Points(np.array([[90.9, 20.9]]), GREEN, 0.2),
        Points(np.array([[-0.01, 0.99]]), np.array([BLUE]), np.array([9.5]), normalized=True),
    ),
    "line": (
        lines([0.1, 0.2, 0.905, 0.77], (255, 9, 0), 3.0, normalized=True),
        lines([-20.0, 110.0, 170.7, -5.5], GREEN, 1.0),
    ),
    "gradient": (
        gradient([0.1, 0.2, 0.9, 0.5], 5.0, (0, 255, 100), normalized=True),
        gradient([140.0, -30.0, 60.0, 150.0], 3.0, (0, 255, 100)),
        gradient([20.0, 100.0, 30.0, 60.0], 1.0, (0, 0, 251)),
        gradient([50.0, 100.0, 20.0, 100.0], 2.0, (0, 0, 251)),
    ),
    "rectangle": (
        Rectangle(Box(0.1, 0.2, 0.6, 0.7, normalized=True), RED, 3.0),
        Rectangle(Box(60.7, 30.2, 140.0, 80.0, rotation=0.6), GREEN, 2.0, top_left_thickness=4.0),
        Rectangle(Box(5.0, 5.0, 20.0, 30.0), BLUE, filled=True),
        Rectangle(Box(100.0, 90.0, 150.0, 110.0, rotation=-0.3), (200, 0, 255), filled=True),
    ),
    "oval": (
        Oval(Box(0.1, 0.2, 0.6, 0.7, normalized=True), RED, 3.0),
        Oval(Box(60.7, 30.2, 140.0, 80.0, rotation=0.6), GREEN, 2.0),
        Oval(Box(5.0, 5.0, 20.0, 30.0), BLUE, filled=True),
    ),
    "arrow": (
        lines([0.1, 0.2, 0.6, 0.7], RED, 2.0, normalized=True, arrows=True),
        lines([140.0, 100.0, 90.5, 15.0], GREEN, 1.0, arrows=True),
    ),
    "rounded": (
        Rectangle(Box(0.1, 0.2, 0.6, 0.7, normalized=True), RED, 2.0, corner_radius=10),
        Rectangle(Box(100.0, 60.0, 150.0, 110.0), GREEN, 1.0, corner_radius=3),
    ),
    "text": (
        Text("Palm,0.93,", 0.05, 0.2, RED, 1.0, 0.1, normalized=True),
        Text("Left : :45 cm", 5.9, 60.9, GREEN, 2.0, 20.0),
        Text(
            "middle",
            80.0,
            95.0,
            BLUE,
            1.0,
            18.0,
            font_face=1,
            center_horizontally=True,
            center_vertically=True,
            outline=(255, 255, 0),
            outline_thickness=1.0,
        ),
    ),
}


# OpenCV 5 draws other letters, and steps along small arcs in another way
ALLOWED = {} if int(cv2.__version__.partition(".")[0]) < 5 else {"text": 160 * 120, "rounded": 5}


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    with np.load(Path(__file__).with_name("overlay_golden.npz")) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", CASES)
def test_pixels_are_mediapipes(name: str, golden: dict[str, np.ndarray]) -> None:
    image = np.full((120, 160, 3), 30, np.uint8)
    draw(image, RenderData(CASES[name]))
    differing = int((image != golden[name]).any(axis=2).sum())
    drawn = int((golden[name] != 30).any(axis=2).sum())
    assert drawn > 100
    assert differing <= ALLOWED.get(name, 0), f"{differing} pixels differ, of {drawn} drawn"


def test_text_stands_where_mediapipes_does(golden: dict[str, np.ndarray]) -> None:
    """The letters of OpenCV 5 are others, but as high and on the same line."""
    image = np.full((120, 160, 3), 30, np.uint8)
    draw(image, RenderData(CASES["text"]))
    for color in (RED, GREEN):
        channel = color.index(255)
        mine, theirs = (np.flatnonzero((each[:80, :, channel] > 140).any(axis=1)) for each in (image, golden["text"]))
        if color == RED:  # the comma hangs lower in one font than in the other
            mine, theirs = mine[mine < 30], theirs[theirs < 30]
        assert abs(int(mine.min()) - int(theirs.min())) <= 3
        assert abs(int(mine.max()) - int(theirs.max())) <= 3
    outlined = image[85:105].astype(int)
    assert ((outlined[:, :, 2] > 200) & (outlined[:, :, 0] < 60)).sum() > 20, "blue letters"
    assert ((outlined[:, :, :2] > 90).all(axis=2) & (outlined[:, :, 2] < 60)).sum() > 100, "their yellow outline"


def test_what_is_not_finite_is_left_out() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    nothing = (
        Points(np.array([[np.nan, 1.0]]), RED, 4.0),
        lines([0.0, 0.0, np.inf, 3.0], RED, 1.0),
        gradient([0.0, 0.0, np.nan, 3.0], 1.0, BLUE),
        Rectangle(Box(0.0, 0.0, np.nan, 5.0), RED),
        Oval(Box(0.0, 0.0, 5.0, -np.inf), RED),
        Text("x", np.nan, 3.0, RED),
        Lines(np.zeros((0, 4)), RED),
        Points(np.zeros((0, 2)), RED),
    )
    draw(image, RenderData(nothing))
    assert not image.any()


def test_what_is_far_outside_does_no_harm() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    far = 1e12
    draw(
        image,
        RenderData(
            (
                Points(np.array([[far, far]]), RED, 4.0),
                lines([-far, 10.0, far, 10.0], GREEN, 1.0),
                gradient([far, far, far, 0.0], 1.0, BLUE),
                Oval(Box(far, far, far + 4, far + 4), RED),
            )
        ),
    )
    assert (image[10] == GREEN).all()
    assert (image.any(axis=2).sum()) == 20


def twin_of_gradient_line(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The pixels of a line of edge-connected ones, by exact arithmetic."""
    (x, y), (end_x, end_y) = start, end
    dx, dy = abs(end_x - x), abs(end_y - y)
    steep = dy > dx
    long, short = max(dx, dy), min(dx, dy)
    step_x, step_y = (1 if end_x >= x else -1), (1 if end_y >= y else -1)
    found, error = [(x, y)], 0
    for _ in range(long + short):
        sideways = error < 0
        error += 2 * long if sideways else -2 * short
        if sideways != steep:
            y += step_y
        else:
            x += step_x
        found.append((x, y))
    return found


@pytest.mark.parametrize("end", list(itertools.product((2, 10, 13, 18), repeat=2)))
def test_gradient_line_against_its_twin(end: tuple[int, int]) -> None:
    image = np.zeros((24, 24, 4), np.uint8)
    image[:, :, 3] = 9
    draw(image, RenderData((gradient([10.0, 10.0, *map(float, end)], 1.0, GREEN),)))
    expected = np.zeros_like(image)
    expected[:, :, 3] = 9
    path = twin_of_gradient_line((10, 10), end)
    assert path[-1] == end
    for number, (x, y) in enumerate(path):
        share = number / len(path)
        expected[y, x] = (*np.rint(np.array(RED) * (1 - share) + np.array(GREEN) * share), 0)
    np.testing.assert_array_equal(image, expected)
