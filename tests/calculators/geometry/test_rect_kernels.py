"""The rectangle kernels against numpy in double precision, on random and on hostile input."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.geometry import rect_kernels as kernels
from graphflow.calculators.payloads import NormalizedRect, Rect

SIZE = (640, 480)
WIDTH_HEIGHT = np.array(SIZE, np.float64)
RNG = np.random.default_rng(11)
RANDOM = [NormalizedRect(*row) for row in RNG.uniform([0, 0, 0.05, 0.05, -4], [1, 1, 1, 1, 4], (12, 5)).tolist()]
PALM = [0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18]


def _close(ours: Any, twin: Any) -> None:
    np.testing.assert_allclose(np.asarray(ours, np.float64), np.asarray(twin, np.float64), rtol=2e-5, atol=2e-5)


def _wrapped(angle: float) -> float:
    return angle - 2 * math.pi * math.floor((angle + math.pi) / (2 * math.pi))


def _pixels(points: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    return points[:, :2].astype(np.float64) * WIDTH_HEIGHT


def _rotation(vector: npt.NDArray[Any], target: float) -> float:
    return _wrapped(target - math.atan2(-vector[1], vector[0]))


@pytest.mark.parametrize("target", [0.0, math.pi / 2, -math.pi / 2, 7.0])
def test_rotation_and_square_of_two_keypoints(target: float) -> None:
    for keypoints in RNG.normal(0.5, 0.5, (20, 4, 2)).astype(np.float32):
        pixels = _pixels(keypoints)
        vector = pixels[3] - pixels[1]
        _close(kernels.keypoints_rotation(keypoints, 1, 3, target, SIZE), _rotation(vector, target))
        side = 2 * np.linalg.norm(vector)
        twin = [*(pixels[1] / WIDTH_HEIGHT), *(side / WIDTH_HEIGHT)]
        _close(kernels.square_around_keypoint(keypoints, 1, 3, SIZE), twin)


def test_hand_from_pose() -> None:
    for keypoints in RNG.normal(0.5, 0.5, (20, 3, 2)).astype(np.float32):
        wrist, pinky, index = _pixels(keypoints)
        middle = (2 * index + pinky) / 3
        side = 2 * np.linalg.norm(middle - wrist)
        twin = [*(middle / WIDTH_HEIGHT), *(side / WIDTH_HEIGHT), _rotation(middle - wrist, math.pi / 2)]
        _close(kernels.hand_from_pose(keypoints, SIZE), twin)


def twin_hand(landmarks: npt.NDArray[np.float32]) -> list[float]:
    palm = landmarks[PALM] if len(landmarks) == 21 else landmarks
    pixels = _pixels(palm)
    fingers = ((pixels[4] + pixels[8]) / 2 + pixels[6]) / 2
    rotation = _rotation(fingers - pixels[0], math.pi / 2)
    tiny = float(np.finfo(np.float32).tiny)
    flat = palm[:, :2].astype(np.float64)
    middle = (flat.min(axis=0) + np.maximum(flat.max(axis=0), tiny)) / 2 * WIDTH_HEIGHT
    turn = np.array([[math.cos(rotation), -math.sin(rotation)], [math.sin(rotation), math.cos(rotation)]])
    upright = (pixels - middle) @ turn
    low, high = upright.min(axis=0), np.maximum(upright.max(axis=0), tiny)
    center = turn @ ((low + high) / 2) + middle
    return [*(center / WIDTH_HEIGHT), *((high - low) / WIDTH_HEIGHT), rotation]


@pytest.mark.parametrize("count", [21, 12])
@pytest.mark.parametrize("offset", [0.5, -3.0], ids=["in view", "off the image"])
def test_hand_from_landmarks(count: int, offset: float) -> None:
    for landmarks in RNG.normal(offset, 0.2, (20, count, 3)).astype(np.float32):
        _close(kernels.hand_from_landmarks(landmarks, SIZE), twin_hand(landmarks))


def test_a_hand_in_one_point_has_no_size() -> None:
    x, y, width, height, rotation = kernels.hand_from_landmarks(np.full((21, 3), 0.5, np.float32), SIZE)
    assert (x, y, width, height) == pytest.approx((0.5, 0.5, 0.0, 0.0))
    assert rotation == pytest.approx(math.pi / 2)


def twin_transform(
    rect: NormalizedRect, scale: tuple[float, float], shift: tuple[float, float], turn: float | None, sides: int
) -> list[float]:
    rotation = rect.rotation if turn is None else _wrapped(rect.rotation + turn)
    lengths = np.array([rect.width, rect.height]) * WIDTH_HEIGHT
    along = lengths * shift
    moved = [
        along[0] * math.cos(rotation) - along[1] * math.sin(rotation),
        along[0] * math.sin(rotation) + along[1] * math.cos(rotation),
    ]
    center = np.array([rect.x_center, rect.y_center]) + np.array(moved) / WIDTH_HEIGHT
    if sides != kernels.KEEP_SIDES:
        lengths[:] = max(lengths) if sides == kernels.SQUARE_LONG else min(lengths)
    return [*center, *(lengths / WIDTH_HEIGHT * scale), rect.rotation]


@pytest.mark.parametrize("sides", [kernels.KEEP_SIDES, kernels.SQUARE_LONG, kernels.SQUARE_SHORT])
@pytest.mark.parametrize("turn", [None, 0.0, 1.5, -9.0])
@pytest.mark.parametrize(("scale", "shift"), [((1.0, 1.0), (0.0, 0.0)), ((2.6, 0.5), (0.25, -0.5))])
def test_transform_rect(scale: tuple[float, float], shift: tuple[float, float], turn: float | None, sides: int) -> None:
    for rect in [*RANDOM, NormalizedRect(0.5, 0.5, 0.25, 0.5), NormalizedRect(0.0, 0.0, 0.0, 0.0)]:
        ours = kernels.transform_rect(rect, SIZE, scale, shift, turn, sides)
        _close(list(ours), twin_transform(rect, scale, shift, turn, sides))
        assert np.float32(ours.x_center) == ours.x_center


def test_pixel_rects_are_cut_towards_zero_and_keep_identity() -> None:
    rect = Rect(-10, 21, 31, 40, 0.0, rect_id=3)
    moved = kernels.transform_pixel_rect(rect, (1.5, 1.5), (0.1, 0.1), None, kernels.KEEP_SIDES)
    assert moved == Rect(-6, 25, 46, 60, 0.0, 3)  # -6.9, 25.0, 46.5, 60.0
    square = kernels.transform_pixel_rect(rect, (1.0, 1.0), (0.0, 0.0), None, kernels.SQUARE_SHORT)
    assert (square.width, square.height) == (31, 31)
    turned = kernels.transform_pixel_rect(rect, (1.0, 1.0), (1.0, 0.0), math.pi / 2, kernels.KEEP_SIDES)
    assert (turned.x_center, turned.y_center) == (-10, 52)


@pytest.mark.parametrize(("degrees", "translation", "scale"), [(10, 0.1, 0.1), (180, 0.6, 0.6), (360, 99.0, 40.0)])
def test_rects_close(degrees: float, translation: float, scale: float) -> None:
    answers = set()
    for first, second in itertools.product(RANDOM, RANDOM):
        turned = math.degrees(first.rotation - second.rotation)
        turned = abs(turned - 360 if turned > 180 else turned + 360 if turned < -180 else turned)
        centers = (np.array([first.x_center, first.y_center]) - [second.x_center, second.y_center]) * WIDTH_HEIGHT
        back = np.array(
            [
                [math.cos(second.rotation), math.sin(second.rotation)],
                [-math.sin(second.rotation), math.cos(second.rotation)],
            ]
        )
        sides = np.array([second.width, second.height]) * WIDTH_HEIGHT
        grown = np.abs(np.array([first.width, first.height]) * WIDTH_HEIGHT - sides)
        twin = turned <= degrees and (np.abs(back @ centers) <= sides * translation).all()
        twin = bool(twin and (grown <= sides * scale).all())
        ours = kernels.rects_close(first, second, SIZE, degrees, translation, scale)
        assert ours == twin
        answers.add(ours)
    assert answers == ({True} if scale == 40.0 else {True, False})


@pytest.mark.parametrize("margin", [-0.9, 0.0, 5.0])
def test_points_inside(margin: float) -> None:
    for rect in RANDOM:
        back = np.array(
            [
                [math.cos(rect.rotation), math.sin(rect.rotation)],
                [-math.sin(rect.rotation), math.cos(rect.rotation)],
            ]
        )
        half = np.array([rect.width, rect.height]) * WIDTH_HEIGHT * (1 + margin) / 2
        for points in RNG.normal([rect.x_center, rect.y_center, 0.0], 0.1, (10, 2, 3)).astype(np.float32):
            offsets = (_pixels(points) - np.array([rect.x_center, rect.y_center]) * WIDTH_HEIGHT) @ back.T
            assert kernels.points_inside(points, rect, SIZE, margin) == bool((np.abs(offsets) < half).all())


def test_no_points_are_inside_and_what_is_no_number_is_not() -> None:
    rect = NormalizedRect(0.5, 0.5, 1.0, 1.0)
    assert kernels.points_inside(np.zeros((0, 3), np.float32), rect, SIZE, 0.0)
    assert not kernels.points_inside(np.full((1, 3), np.nan, np.float32), rect, SIZE, 0.0)


def twin_iou(first: NormalizedRect, second: NormalizedRect, by_center: bool) -> float:
    """Overlap of upright rectangles; by_center: their centres taken for their corners."""
    areas, low, high = [], np.full(2, -np.inf), np.full(2, np.inf)
    for rect in (first, second):
        side = np.array([rect.width, rect.height])
        corner = np.array([rect.x_center, rect.y_center]) - (0 if by_center else side / 2)
        low, high = np.maximum(low, corner), np.minimum(high, corner + side)
        areas.append(side.prod())
    shared = (high - low).prod() if (high >= low).all() else 0.0
    return shared / (sum(areas) - shared) if sum(areas) else 0.0


def test_iou() -> None:
    for first, second in itertools.product(RANDOM, RANDOM):
        _close(kernels.iou(first, second), twin_iou(first, second, by_center=False))
    nothing = NormalizedRect(0.5, 0.5, 0.0, 0.0)
    assert kernels.iou(nothing, nothing) == 0.0
    assert kernels.iou(nothing, NormalizedRect(0.5, 0.5, -1.0, 1.0)) == 0.0


@pytest.mark.parametrize("min_iou", [0.05, 0.3, 0.6])
def test_centers_overlap(min_iou: float) -> None:
    answers = set()
    for first, second in itertools.product(RANDOM, RANDOM):
        overlap = twin_iou(first, second, by_center=True)
        ours = kernels.centers_overlap(first, second, SIZE, min_iou)
        # apart from each other they pass, as in MediaPipe, whose empty rectangle has an infinite area
        assert ours == (overlap >= min_iou or overlap == 0.0)
        answers.add(ours)
    assert answers == {True, False}
