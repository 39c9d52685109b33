"""Identities by PoseFlow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from graphflow.calculators.tracking.pose_flow import PoseFlow

from .cases import Array, Case, differences

_CLOSE = 1e-6


def _correspondences(case: Case, frame: int) -> Array | None:
    """Of the frame before with this one."""
    if frame == 0:
        return None
    if "correspondences" in case.inputs:
        everywhere: Array = case.input("correspondences")
        return everywhere
    own: Array = case.input(f"correspondences_{frame - 1:02}")
    return own


def _tracks(case: Case) -> Iterator[str]:
    flow = PoseFlow(tuple(case.params["image_size_wh"]))
    ids, scores = case.output("ids"), case.output("match_scores")
    for frame in range(sum(name.startswith("keypoints_") for name in case.inputs)):
        people = case.input(f"keypoints_{frame:02}")
        got_ids, got_scores = flow.apply(
            list(people), case.input(f"box_scores_{frame:02}").tolist(), _correspondences(case, frame)
        )
        if frame >= len(ids) or ids[frame] is None or not len(people):
            continue  # where the reference had stopped, and frames without people, which make it stop
        yield from differences(f"ids of frame {frame}", got_ids, ids[frame])
        yield from differences(f"match_scores of frame {frame}", np.array(got_scores), scores[frame], _CLOSE)


CHECKS = {"PoseFlow": _tracks}
