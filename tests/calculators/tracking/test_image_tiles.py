"""Tiles over an image, and what is found in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Detection, Rect
from graphflow.calculators.tracking.image_tiles import ImageTiles, MergeTileDetections, image_tiles

from graphflow.testing import run_calculator

SIZE = (1000, 400)
TILES = {0: Rect(200, 200, 400, 400), 1: Rect(500, 200, 400, 400)}


def person(x: float, y: float, side: float, score: float = 0.9, hips_below: float = 2.0) -> Detection:
    """Someone whose head is a square of `side` at (x, y), hips below it in heads; normalized by what is looked at."""
    low = np.array([x - side / 2, y - side / 2, side, side], np.float32)
    hips = (x, y + hips_below * side)
    keypoints = np.array([hips, (x, hips[1] - 3 * side), (x, y), (x, y)], np.float32)
    return Detection(low, np.array([score], np.float32), np.zeros(1, np.int32), (), keypoints)


@pytest.mark.parametrize("size", [(1550, 480), (640, 480), (481, 480), (480, 1080), (2, 3), (1919, 1080), (7, 5000)])
@pytest.mark.parametrize("tiles", [1, 2, 3])
@pytest.mark.parametrize("overlap", [0.0, 0.25, 0.5])
def test_tiles_cover_the_image(size: tuple[int, int], tiles: int, overlap: float) -> None:
    if min(size) < 2 * tiles:
        return
    found = image_tiles(size, tiles, overlap)
    assert found
    covered = np.zeros(size[::-1], np.bool_)
    for tile in found:
        assert tile.width == tile.height
        assert tile.width % 2 == 0
        left, top = tile.x_center - tile.width // 2, tile.y_center - tile.height // 2
        assert min(left, top) >= 0
        assert left + tile.width <= size[0]
        assert top + tile.height <= size[1]
        covered[top : top + tile.height, left : left + tile.width] = True
    if found:
        # an odd row or column at the edge may be left over
        assert covered[1:-1, 1:-1].all()
    else:
        assert tiles == 1
        assert abs(size[0] - size[1]) <= 1


def test_how_many() -> None:
    assert len(image_tiles((1550, 480), 1)) == 4
    assert len(image_tiles((480, 480), 2)) == 4
    assert image_tiles((480, 480), 1) == []
    assert image_tiles((640, 480), 0) == []
    assert image_tiles((1, 1), 2) == []


def test_no_tiles_where_nobody_looks() -> None:
    inputs: dict[str, list[tuple[int, Any]]] = {"IMAGE_SIZE": [(0, SIZE), (1, SIZE)], "LOOK": [(0, False), (1, True)]}
    found = run_calculator(ImageTiles, inputs=inputs, options={"tiles": 1})["RECTS"]
    assert [len(rects) for _, rects in found] == [0, 3]


@pytest.mark.parametrize(
    ("whole", "by_tile", "expected"),
    [
        (None, {}, None),
        ([(0.5, 0.5, 0.1)], {}, [(500, 200)]),
        (None, {1: [(0.5, 0.5, 0.1)]}, [(500, 200)]),
        # the same head in the whole image and in both tiles
        ([(0.4, 0.5, 0.08)], {0: [(1.0, 0.5, 0.2)], 1: [(0.25, 0.5, 0.2)]}, [(400, 200)]),
        # beside each other, the surer one first
        (None, {0: [(0.2, 0.5, 0.1, 0.6)], 1: [(0.9, 0.5, 0.1, 0.8)]}, [(660, 200), (80, 200)]),
        # hips that are not in the tile are another tile's matter, unless they are not in the image either
        (None, {0: [(0.99, 0.5, 0.1, 0.9, 2.0)]}, [(396, 200)]),
        (None, {0: [(1.01, 0.5, 0.1, 0.9, 2.0)]}, []),
        (None, {0: [(0.5, 0.9, 0.1, 0.9, 2.0)]}, [(200, 360)]),
        # another head, but hips in the same place
        ([(0.5, 0.5, 0.1)], {1: [(0.5, 0.25, 0.1, 0.9, 4.5)]}, [(500, 200)]),
    ],
)
def test_everybody_once(whole: Any, by_tile: Any, expected: Any) -> None:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "IMAGE_SIZE": [(0, SIZE)],
        "RECTS": [(0, TILES)],
        "TILE_DETECTIONS": [(0, {number: [person(*each) for each in found] for number, found in by_tile.items()})],
        "DETECTIONS": [] if whole is None else [(0, [person(*each) for each in whole])],
    }
    found = run_calculator(MergeTileDetections, inputs=inputs)["DETECTIONS"]
    heads = [
        [tuple(np.round((each.box[:2] + each.box[2:] / 2) * SIZE).astype(int)) for each in people]
        for _, people in found
    ]
    assert heads == ([expected] if expected else [])


def test_the_whole_image_comes_through_as_it_is() -> None:
    found = run_calculator(
        MergeTileDetections, inputs={"IMAGE_SIZE": [(0, SIZE)], "DETECTIONS": [(0, [person(0.5, 0.5, 0.1)])]}
    )["DETECTIONS"]
    assert len(found) == 1
