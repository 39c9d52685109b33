"""Trackers by keypoints and by boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from graphflow.calculators.tracking.keypoint_tracker import Person, PersonTracker

from .cases import Case, differences

_CLOSE = 1e-6


def _tracker(case: Case) -> PersonTracker:
    params = case.params
    keypoints = params.get("keypointTrackerParams", {})
    return PersonTracker(
        "iou" if case.kind == "BoundingBoxTracker" else "oks",
        params["maxTracks"],
        params["maxAge"] * 1000,
        params["minSimilarity"],
        keypoints.get("keypointConfidenceThreshold", 0.3),
        keypoints.get("keypointFalloff"),
        keypoints.get("minNumberOfKeypoints", 4),
    )


def _person(pose: Any) -> Person:
    points = pose["keypoints"]
    box = pose.get("box")
    return Person(
        np.array([[point["x"], point["y"]] for point in points], float).reshape(-1, 2),
        np.array([point["score"] for point in points], float),
        None if box is None else np.array([box[side] for side in ("xMin", "yMin", "xMax", "yMax")], float),
    )


def _tracks(case: Case) -> Iterator[str]:
    if "rejected" in case.outputs:
        try:
            _tracker(case)
        except ValueError:
            return
        yield "rejected: taken"
        return
    tracker = _tracker(case)
    frames = zip(case.input("frames"), case.output("frames"), strict=True)
    for number, (frame, want) in enumerate(frames):
        ids = tracker.apply(frame["timestamp_us"], [_person(pose) for pose in frame["poses"]])
        yield from differences(f"ids of frame {number}", ids, want["ids"])
        alive = [[track.id, track.timestamp_us] for track in tracker.tracks]
        recorded = [[track["id"], track["last_timestamp"]] for track in want["tracks"]]
        yield from differences(f"tracks after frame {number}", alive, recorded)


def _oks(case: Case) -> Iterator[str]:
    got = _tracker(case).alikeness(_person(case.input("pose")), _person(case.input("track")))
    yield from differences("oks", got, case.output("oks"), _CLOSE)


def _area(case: Case) -> Iterator[str]:
    yield from differences("area", _tracker(case).area(_person(case.input("pose"))), case.output("area"), _CLOSE)


CHECKS = {
    "BoundingBoxTracker": _tracks,
    "KeypointTracker": _tracks,
    "KeypointTracker.oks": _oks,
    "KeypointTracker.area": _area,
}
