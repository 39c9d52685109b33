"""ImageTiles and MergeTileDetections: a second, closer look at parts of an image, for people who are small in it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, FloatArray, ImageSize, Rect


def image_tiles(size: ImageSize, tiles: int, overlap: float = 0.25) -> list[Rect]:
    """Overlapping squares that cover an image, row by row; none where one of them would be the whole image.

    Args:
        size: width, height in pixels.
        tiles: squares along the shorter side; along the longer one there are as many as it takes.
        overlap: share of a square's side that it has in common with the next, at least; 0..1, without 1.

    >>> [(tile.x_center, tile.width) for tile in image_tiles((1000, 400), 1)]
    [(200, 400), (500, 400), (800, 400)]
    >>> image_tiles((400, 400), 1)
    []
    """
    if tiles < 1 or min(size) < 2:
        return []
    shorter = min(size)
    # even, so that the centre is a whole pixel
    side = min(2 * math.ceil(shorter / (tiles - (tiles - 1) * overlap) / 2), 2 * (shorter // 2))
    rows, columns = (
        (tiles if length == shorter else math.ceil((length - side) / (side * (1 - overlap))) + 1, length)
        for length in size[::-1]
    )
    if rows[0] * columns[0] == 1:
        return []
    return [Rect(x, y, side, side) for y in _centres(*rows, side) for x in _centres(*columns, side)]


def _centres(count: int, length: int, side: int) -> list[int]:
    return [round(start) + side // 2 for start in np.linspace(0, length - side, count)]


def merged(
    whole: Sequence[Detection],
    by_tile: Mapping[int, Sequence[Detection]],
    tiles: Mapping[int, Rect],
    size: ImageSize,
    threshold: float = 0.3,
) -> list[Detection]:
    """What was found in the whole image, then what only tiles show, the surest first.

    What the whole image shows stays as it is, since a tile may cut people off. So a tile adds nobody whose head is in
    the place of one who is known, nor anybody whose hips lie in another tile.

    Args:
        whole: found in the whole image, with hips (0) and the reach of the body (1) as keypoints.
        by_tile: found in each tile, normalized by the tile.
        tiles: where those are, px.
        size: of the image, px.
        threshold: intersection over union above which two heads are one.
    """
    kept = list(whole)
    added = [found for number, seen in sorted(by_tile.items()) for found in in_image(seen, tiles[number], size)]
    added.sort(key=lambda detection: -float(detection.scores[0]))
    for candidate in added:
        if not any(_same(candidate, other, size, threshold) for other in kept):
            kept.append(candidate)
    return kept


def in_image(seen: Sequence[Detection], tile: Rect, size: ImageSize) -> Iterator[Detection]:
    """What was found in a part of an image, as found in the image; not those whose hips lie in another part.

    Args:
        seen: normalized by the part.
        tile: the part, px, upright.
        size: of the image, px.
    """
    sides = np.array(size, np.float32)
    corner = np.array([tile.x_center - tile.width / 2, tile.y_center - tile.height / 2], np.float32) / sides
    scale = np.array([tile.width, tile.height], np.float32) / sides
    for detection in seen:
        if detection.box is None or not len(detection.keypoints):
            continue
        hips = detection.keypoints[0]
        keypoints: FloatArray = corner + detection.keypoints * scale
        if not _inside(hips) and _inside(keypoints[0]):
            continue
        box: FloatArray = np.concatenate([corner + detection.box[:2] * scale, detection.box[2:] * scale])
        yield replace(detection, box=box, keypoints=keypoints)


def _inside(point: FloatArray) -> bool:
    return bool((point >= 0).all() and (point <= 1).all())


def _same(one: Detection, other: Detection, size: ImageSize, threshold: float) -> bool:
    first, second = _corners(one), _corners(other)
    common = float(np.prod(np.maximum(np.minimum(first[1], second[1]) - np.maximum(first[0], second[0]), 0)))
    either = float(np.prod(first[1] - first[0])) + float(np.prod(second[1] - second[0])) - common
    if common > threshold * either:
        return True
    points = [detection.keypoints[:2] * np.array(size, np.float32) for detection in (one, other)]
    reach = min(float(np.linalg.norm(top - hips)) for hips, top in points)
    return float(np.linalg.norm(points[0][0] - points[1][0])) < reach / 2


def _corners(detection: Detection) -> FloatArray:
    """float32 [2, 2]: the upper left and the lower right one."""
    if detection.box is None:
        raise ValueError("a person was found without a box: tiles need a detector that gives boxes of heads")
    corners: FloatArray = np.stack([detection.box[:2], detection.box[:2] + detection.box[2:]])
    return corners


class ImageTiles(Calculator):
    """Lays overlapping squares over an image, to look at each of them as at an image of its own.

    Where LOOK is false there are none: an empty mapping, so that who waits for what is found in them goes on.
    """

    fusible = True

    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    look = Input("LOOK", bool, "whether to look at this image at all; default true", optional=True)
    rects = Output("RECTS", dict, "the squares by number, in whole pixels; none where one would be the whole image")

    tiles: int = Option(2, "squares along the image's shorter side")
    overlap: float = Option(0.25, "share of a square's side that it has in common with the next, at least")

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is not None:
            look = context[self.look] is not False
            context[self.rects] = dict(enumerate(image_tiles(size, self.tiles, self.overlap) if look else ()))


class MergeTileDetections(Calculator):
    """Adds to the people found in the whole image those that only tiles of it show.

    Nothing is emitted where nobody was found.
    """

    fusible = True

    whole = Input("DETECTIONS", list[Detection], "found in the whole image")
    by_tile = Input("TILE_DETECTIONS", dict, "found in each tile, normalized by it, by its number", optional=True)
    rects = Input("RECTS", dict, "the tiles in pixels, by number", optional=True)
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    merged = Output("DETECTIONS", list[Detection], "normalized by the image, those of the whole image first")

    threshold: float = Option(0.3, "intersection over union above which two heads are one")

    def process(self, context: Context) -> None:
        whole, by_tile = context[self.whole], context[self.by_tile]
        if not by_tile:
            if whole is not None:
                context.emit_packet(self.merged, context.packet(self.whole))
            return
        found = merged(whole or [], by_tile, context[self.rects], context[self.size], self.threshold)
        if found:
            context[self.merged] = found
