"""Corners: far enough from one another, spread over the picture, and taken in turn."""

from __future__ import annotations

import itertools
from typing import Literal

import cv2
import numpy as np
import pytest
from graphflow.calculators.tracking.corner_extraction import CornerFinder, FastSettings, MinEigValSettings, _round_robin
from tracking_scenes import texture

METHODS: list[Literal["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"]] = ["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"]
GREY = cv2.cvtColor(texture(240, 320, 4), cv2.COLOR_RGB2GRAY)


def finder(
    method: Literal["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"], most: int = 500, levels: int = 2
) -> CornerFinder:
    settings = MinEigValSettings(adaptive_lowest_quality_level=2e-4)
    return CornerFinder(method, settings, FastSettings(), levels, most, 5)


@pytest.mark.parametrize("method", METHODS)
def test_corners_of_a_texture(method: Literal["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"]) -> None:
    corners = finder(method)
    mask = corners.empty_mask(GREY)
    points = corners.find(GREY, mask, 0)
    assert 100 < len(points) <= 500
    apart = np.hypot(*(points[None] - points[:, None]).transpose(2, 0, 1)) + 1000 * np.eye(len(points))
    assert apart.min() >= 5, "two steps of the mask, 2.5 pixels each, are between"
    assert (points >= 2).all()
    assert (points <= (318, 238)).all()
    quarters = (points // (160, 120)).astype(int)
    assert {tuple(quarter) for quarter in quarters.tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_where_corners_are() -> None:
    image = np.zeros((120, 160), np.uint8)
    image[40:80, 50:110] = 200
    points = finder("EXTRACTION_MIN_EIG_VAL", levels=1).find(image, np.zeros((48, 64), np.uint8), 0)
    assert len(points) == 4
    for corner in ((50, 40), (109, 40), (50, 79), (109, 79)):
        assert np.hypot(*(points - corner).T).min() < 2


def test_no_corners() -> None:
    corners = finder("EXTRACTION_MIN_EIG_VAL")
    flat = np.full((60, 80), 77, np.uint8)
    assert corners.find(flat, corners.empty_mask(flat), 0).shape == (0, 2)


def test_no_more_than_there_is_room_for() -> None:
    corners = finder("EXTRACTION_MIN_EIG_VAL", most=60)
    assert len(corners.find(GREY, corners.empty_mask(GREY), 0)) == 60
    assert len(corners.find(GREY, corners.empty_mask(GREY), 45)) == 15
    assert len(corners.find(GREY, corners.empty_mask(GREY), 70)) == 0


def test_places_that_are_taken() -> None:
    corners = finder("EXTRACTION_MIN_EIG_VAL")
    mask = corners.empty_mask(GREY)
    points = np.array([[100, 100], [101, 101], [100, 120], [319, 239]], np.float32)
    assert corners.take(mask, points).tolist() == [True, False, True, True]
    found = corners.find(GREY, mask, 3)
    for point in points[[0, 2, 3]]:
        assert np.hypot(*(found - point).T).min() >= 5


def plain_round_robin(
    points: np.ndarray, inside: np.ndarray, starts: np.ndarray, mask: np.ndarray, scale: float, room: int
) -> list[int]:
    cells = [list(range(a, b)) for a, b in itertools.pairwise(starts.tolist())]
    position = [0] * len(cells)
    chosen: list[int] = []
    more = True
    while more and len(chosen) < room:
        more = False
        for number, cell in enumerate(cells):
            if position[number] >= len(cell):
                continue
            i = cell[position[number]]
            position[number] += 1
            more = more or position[number] < len(cell) - 1
            column, row = (int(np.float32(place) * np.float32(scale)) for place in points[i])
            if len(chosen) < room and inside[i] and not mask[row, column]:
                mask[max(row - 2, 0) : row + 3, max(column - 2, 0) : column + 3] = 1
                chosen.append(i)
    return chosen


@pytest.mark.parametrize("room", [1, 7, 200])
@pytest.mark.parametrize("sizes", [[0], [1, 1], [5, 0, 9], [40, 3, 0, 1, 30]])
def test_taken_in_turn(sizes: list[int], room: int) -> None:
    rng = np.random.default_rng(sum(sizes))
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    points = rng.integers(0, (80, 60), (starts[-1], 2)).astype(np.float32)
    inside = rng.random(starts[-1]) < 0.9
    masks = [np.zeros((24, 32), np.uint8) for _ in range(2)]
    scale = np.float32(0.4)
    found = _round_robin(points, inside, starts, masks[0], scale, room)
    assert found.tolist() == plain_round_robin(points, inside, starts, masks[1], 0.4, room)
    np.testing.assert_array_equal(*masks)
