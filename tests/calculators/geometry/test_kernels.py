"""The point kernels against numpy, on random and on hostile input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.geometry.kernels import (
    LOWEST,
    SMALLEST_POSITIVE,
    project_box_by_matrix,
    project_by_matrix,
    project_from_rect,
    rect_matrix,
    remove_letterbox,
    remove_letterbox_of_box,
    rotate,
    surrounding_box,
    surrounding_rect,
)
from graphflow.calculators.payloads import NormalizedRect

Floats = npt.NDArray[np.float32]

RNG = np.random.default_rng(7)
POINTS = {
    "none": np.zeros((0, 3), np.float32),
    "one": np.float32([[0.25, 0.5, -0.1]]),
    "many": RNG.normal(0.5, 0.5, (478, 3)).astype(np.float32),
    "off the image": np.float32([[-3.0, -2.0, 1.0], [-1.0, -5.0, 0.0]]),
    "not numbers": np.float32([[np.nan, 0.5, 0.1], [np.inf, -np.inf, np.nan], [0.5, 0.25, 0.0]]),
    "huge": np.float32([[1e30, -1e30, 1e30], [1e-30, 0.0, -0.0]]),
}
RECTS = {
    "upright": NormalizedRect(0.5, 0.5, 0.25, 0.5),
    "rotated": NormalizedRect(0.25, 0.75, 0.5, 0.5, 1.25),
    "empty": NormalizedRect(0.5, 0.5, 0.0, 0.0, 3.0),
    "off the image": NormalizedRect(-2.0, 3.0, 0.125, 4.0, -3.0),
}
MATRICES = {
    "identity": np.eye(4, dtype=np.float32),
    "random": RNG.normal(0.0, 1.0, (4, 4)).astype(np.float32),
    "zero": np.zeros((4, 4), np.float32),
    "not numbers": np.full((4, 4), np.nan, np.float32),
}
PADDINGS = {
    "none": np.zeros(4, np.float32),
    "sides": np.float32([0.125, 0.0, 0.125, 0.0]),
    "uneven": np.float32([0.1, 0.2, 0.05, 0.3]),
    "everything": np.float32([0.5, 0.5, 0.5, 0.5]),
}
BOXES = {"inside": np.float32([0.25, 0.125, 0.5, 0.5]), "negative": np.float32([0.75, 0.5, -0.5, -1.0])}


def _agree(ours: npt.ArrayLike, twin: npt.ArrayLike) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(twin), rtol=2e-5, atol=1e-6)


@pytest.fixture(autouse=True)
def _quiet() -> Any:
    with np.errstate(all="ignore"):
        yield


def twin_remove_letterbox(points: Floats, padding: Floats) -> Floats:
    width, height = 1 - (padding[0] + padding[2]), 1 - (padding[1] + padding[3])
    columns = [(points[:, 0] - padding[0]) / width, (points[:, 1] - padding[1]) / height, points[:, 2:].T / width]
    return np.vstack(columns).T


@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_remove_letterbox(points: Floats, padding: Floats) -> None:
    _agree(remove_letterbox(points, padding), twin_remove_letterbox(points, padding))
    _agree(remove_letterbox(points[:, :2].copy(), padding), twin_remove_letterbox(points[:, :2], padding))


@pytest.mark.parametrize("padding", PADDINGS.values(), ids=PADDINGS)
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_remove_letterbox_of_box(box: Floats, padding: Floats) -> None:
    sides = np.float32([1, 1]) - (padding[:2] + padding[2:])
    _agree(remove_letterbox_of_box(box, padding), np.concatenate([(box[:2] - padding[:2]) / sides, box[2:] / sides]))


def _turn(angle: float) -> npt.NDArray[np.float64]:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _turned(points: npt.NDArray[Any], angle: float) -> npt.NDArray[np.float64]:
    # written out, since a product of matrices would spread what is not a number
    (a, b), (c, d) = _turn(angle)
    return np.stack([a * points[:, 0] + b * points[:, 1], c * points[:, 0] + d * points[:, 1]], axis=1)


@pytest.mark.parametrize("rotation", [None, 0.0, -2.0])
@pytest.mark.parametrize("rect", RECTS.values(), ids=RECTS)
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_project_from_rect(points: Floats, rect: NormalizedRect, rotation: float | None) -> None:
    turned = _turned(points[:, :2] - np.float32(0.5), rect.rotation if rotation is None else rotation)
    flat = turned * [rect.width, rect.height] + [rect.x_center, rect.y_center]
    _agree(project_from_rect(points, rect, rotation), np.hstack([flat, points[:, 2:] * rect.width]))


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_project_by_matrix(points: Floats, matrix: Floats) -> None:
    def moved(row: int, columns: int) -> npt.NDArray[np.float32]:
        return np.add.reduce([points[:, axis] * matrix[row, axis] for axis in range(columns)]) + matrix[row, 3]

    z = points[:, 2] * np.hypot(matrix[0, 0], matrix[1, 0])
    # sums of a few terms that nearly cancel: compared on the scale of the terms
    ours = project_by_matrix(points, matrix)
    np.testing.assert_allclose(ours, np.stack([moved(0, 3), moved(1, 3), z], axis=1), rtol=1e-4, atol=1e-5)
    flat = project_by_matrix(points[:, :2].copy(), matrix)
    np.testing.assert_allclose(flat, np.stack([moved(0, 2), moved(1, 2)], axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("matrix", [MATRICES["identity"], MATRICES["random"], MATRICES["zero"]])
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
def test_project_box_by_matrix(box: Floats, matrix: Floats) -> None:
    corners = np.array([[box[0] + x * box[2], box[1] + y * box[3], 0.0, 1.0] for x in (0, 1) for y in (0, 1)])
    moved = corners @ matrix.T[:, :2]
    low, high = moved.min(axis=0), moved.max(axis=0)
    _agree(project_box_by_matrix(box, matrix), np.concatenate([low, high - low]))


@pytest.mark.parametrize("rotation", [None, 0.5])
@pytest.mark.parametrize("rect", RECTS.values(), ids=RECTS)
def test_rect_matrix_projects_as_the_rectangle_does(rect: NormalizedRect, rotation: float | None) -> None:
    size = np.array([640.0, 480.0])
    points = POINTS["many"]
    scaled = (points[:, :2] - 0.5) * [rect.width, rect.height] * size
    in_pixels = _turned(scaled, rect.rotation if rotation is None else rotation)
    expected = (in_pixels + np.array([rect.x_center, rect.y_center]) * size) / size
    matrix = rect_matrix(rect, (640, 480), rotation)
    np.testing.assert_allclose(project_by_matrix(points, matrix)[:, :2], expected, rtol=1e-4, atol=1e-5)
    assert matrix[2, 2] == np.float32(rect.width)
    assert matrix[3].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("rotation", [0.0, 1.0, -3.0, np.nan])
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_rotate(points: Floats, rotation: float) -> None:
    _agree(rotate(points, rotation), np.hstack([_turned(points, rotation), points[:, 2:]]))


def twin_bounds(points: Floats, smallest_max: float) -> npt.NDArray[np.float32]:
    low = np.fmin.reduce(points[:, :2], axis=0, initial=np.finfo(np.float32).max)
    high = np.fmax.reduce(points[:, :2], axis=0, initial=np.float32(smallest_max))
    return np.concatenate([low, high])


@pytest.mark.parametrize("smallest_max", [SMALLEST_POSITIVE, LOWEST])
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_surrounding_box(points: Floats, smallest_max: float) -> None:
    bounds = twin_bounds(points, smallest_max)
    _agree(surrounding_box(points, smallest_max), np.concatenate([bounds[:2], bounds[2:] - bounds[:2]]))


@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_surrounding_rect(points: Floats) -> None:
    bounds = twin_bounds(points, LOWEST)
    _agree(surrounding_rect(points), np.concatenate([(bounds[:2] + bounds[2:]) / 2, bounds[2:] - bounds[:2]]))


def test_a_box_of_points_left_of_the_image_reaches_its_edge() -> None:
    box = surrounding_box(POINTS["off the image"], SMALLEST_POSITIVE)
    assert box.tolist() == [-3.0, -5.0, 3.0, 5.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: remove_letterbox(np.zeros(3, np.float32), PADDINGS["none"]), r"points must be float32 .* \[3\]"),
        (lambda: rotate(np.zeros((2, 3)), 0.0), "points must be float32 .* not float64"),
        (lambda: surrounding_rect(np.zeros((2, 4), np.float32)), "points must be"),
        (lambda: remove_letterbox(POINTS["one"], np.zeros(3, np.float32)), "letterbox padding must be"),
        (lambda: remove_letterbox_of_box(np.zeros(5, np.float32), PADDINGS["none"]), "a box must be"),
        (lambda: project_by_matrix(POINTS["one"], np.eye(3, dtype=np.float32)), "a projection matrix must be"),
    ],
)
def test_wrong_shapes_are_named(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
