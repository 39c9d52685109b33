"""NewcomerViews and SeenAlone: who is new among several is looked at again, as if alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, ImageSize, NormalizedRect, Rect
from .image_tiles import in_image

_SAME = 0.2
"""Regions of one person have centres closer than that, in sides of the smaller; `PersonTracks` has the same."""


def body_region(found: Detection, size: ImageSize) -> NormalizedRect:
    """The square around a body whose hips (0) and reach (1) were found, upright, as large as its region.

    Args:
        found: normalized by the image.
        size: of the image, px.
    """
    hips, top = found.keypoints[:2].astype(np.float64) * size
    side = 2.5 * float(np.linalg.norm(top - hips))
    return NormalizedRect(float(hips[0]) / size[0], float(hips[1]) / size[1], side / size[0], side / size[1])


def _in_place_of(region: NormalizedRect, others: Mapping[int, NormalizedRect], size: ImageSize) -> int | None:
    """The key of the nearest of those that may be of the same person, as `PersonTracks` has it."""
    gaps = {key: _apart(region, other, size) for key, other in others.items()}
    nearest = min(gaps, key=gaps.__getitem__, default=None)
    return None if nearest is None or gaps[nearest] >= _SAME else nearest


def _apart(one: NormalizedRect, other: NormalizedRect, size: ImageSize) -> float:
    """Between two centres, in sides of the smaller region; more than any where one is more than twice the other."""
    width, height = size
    smaller, larger = sorted(max(each.width * width, each.height * height) for each in (one, other))
    if larger > 2 * smaller:
        return math.inf
    return math.hypot((one.x_center - other.x_center) * width, (one.y_center - other.y_center) * height) / smaller


def view_of(region: NormalizedRect, others: Iterable[NormalizedRect], size: ImageSize, room: float = 0.1) -> Rect:
    """The part of an image that is nearer to somebody than to anybody else, px.

    It ends halfway to whoever is beside, above or below, unless that would be within the person.

    Args:
        region: of the person.
        others: of everybody else.
        size: of the image, px.
        room: what is left to each side of the person's middle at least, in sides of the region; above and below twice
            that.
    """
    width, height = size
    middle = np.array([region.x_center * width, region.y_center * height])
    least = room * max(region.width * width, region.height * height) * np.array([1, 2])
    low, high = np.zeros(2), np.array(size, np.float64)
    for other in others:
        way = np.array([other.x_center * width, other.y_center * height]) - middle
        axis = int(abs(way[1]) > abs(way[0]))
        cut = middle[axis] + way[axis] / 2
        if abs(way[axis]) / 2 < least[axis]:
            continue
        if way[axis] < 0:
            low[axis] = max(low[axis], cut)
        else:
            high[axis] = min(high[axis], cut)
    corner = np.maximum(np.round(low), 0).astype(int)
    # even, so that the centre is a whole pixel
    half = (np.minimum(np.round(high), size).astype(int) - corner) // 2
    return Rect(int(corner[0] + half[0]), int(corner[1] + half[1]), int(2 * half[0]), int(2 * half[1]))


def newcomer_views(
    found: Sequence[Detection], followed: Mapping[int, NormalizedRect], size: ImageSize, room: float = 0.1
) -> dict[int, Rect]:
    """Where to look again at each of those who are new, by their index; nowhere for who is alone in the image.

    Args:
        found: normalized by the image.
        followed: the regions of those who are not new.
        size: of the image, px.
        room: see `view_of`.
    """
    regions = {index: body_region(each, size) for index, each in enumerate(found) if len(each.keypoints) > 1}
    new = {index: region for index, region in regions.items() if _in_place_of(region, followed, size) is None}
    trunks = {index: _trunk(region, found[index]) for index, region in new.items()}
    views = {}
    for index, region in new.items():
        beside = [trunks[other] for other in new if other != index and _apart(region, new[other], size) >= _SAME]
        view = view_of(trunks[index], [*followed.values(), *beside], size, room)
        if view.width < size[0] - 1 or view.height < size[1] - 1:
            views[index] = view
    return views


def _trunk(region: NormalizedRect, found: Detection) -> NormalizedRect:
    """A region moved to below the middle of head and hips: of those who sit, hips are out of the image and guessed."""
    if found.box is None:
        return region
    return replace(region, x_center=(region.x_center + float(found.box[0] + found.box[2] / 2)) / 2)


def seen_alone(
    found: Sequence[Detection],
    by_view: Mapping[int, Sequence[Detection]],
    views: Mapping[int, Rect],
    size: ImageSize,
) -> list[Detection]:
    """Detections, those that a second look found again as it saw them.

    Args:
        found: normalized by the image.
        by_view: what was found in each view, normalized by it, by index.
        views: px, by index.
        size: of the image, px.
    """
    seen = list(found)
    for index, again in by_view.items():
        candidates = dict(enumerate(in_image(again, views[index], size)))
        regions = {number: body_region(each, size) for number, each in candidates.items()}
        nearest = _in_place_of(body_region(seen[index], size), regions, size)
        if nearest is not None:
            seen[index] = candidates[nearest]
    return seen


class NewcomerViews(Calculator):
    """Says where to look again at people who are new: at the part of the image nearer to each than to anybody else.

    The detector sees the whole image in 224 pixels, and answers otherwise where there are more people in it. A filter
    remembers the region that somebody starts with for seconds. Seen alone, they start as in an image of their own. Who
    is alone in the image was seen so already: an empty mapping.
    """

    fusible = True

    found = Input("DETECTIONS", list[Detection], "of bodies, with hips (0) and reach (1)")
    followed = Input("TRACKED", dict, "the regions of those who are not new, by number", optional=True)
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    views = Output("RECTS", dict, "by the index of the detection, in whole pixels")

    room: float = Option(0.1, "what a view leaves beside the person's middle, in sides of the region; above twice that")

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is not None:
            context[self.views] = newcomer_views(
                context[self.found] or (), context[self.followed] or {}, size, self.room
            )


class SeenAlone(Calculator):
    """Puts what a second look at each newcomer found in the place of what the first one did.

    Where the second look finds nobody in the same place, the first one counts. Nothing is emitted where nobody was
    found.
    """

    fusible = True

    found = Input("DETECTIONS", list[Detection], "by the first look, normalized by the image")
    by_view = Input("VIEW_DETECTIONS", dict, "normalized by the view, by index", optional=True)
    views = Input("RECTS", dict, "px, by index", optional=True)
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    seen = Output("DETECTIONS", list[Detection], "normalized by the image, in the same order")

    def process(self, context: Context) -> None:
        found, by_view = context[self.found], context[self.by_view]
        if found is None:
            return
        if by_view:
            context[self.seen] = seen_alone(found, by_view, context[self.views], context[self.size])
        else:
            context.emit_packet(self.seen, context.packet(self.found))
