"""RMPE's parts: pose NMS, OKS and box NMS, proposals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from graphflow.calculators.tracking.oks_nms import box_nms, oks_matrix, oks_nms, soft_oks_nms
from graphflow.calculators.tracking.pose_nms import ALPHAPOSE, pose_nms, pose_similarity
from graphflow.calculators.tracking.pose_proposals import propose

from .cases import Case, differences

_CLOSE = 1e-4


def _pose_nms(case: Case) -> Iterator[str]:
    boxes, poses, scores = case.input("boxes_xyxy"), case.input("poses"), case.input("pose_scores")
    parameters = replace(ALPHAPOSE, area_threshold=float(case.params["area_threshold"]))
    result = pose_nms(boxes, case.input("box_scores"), poses, scores, parameters)
    yield from differences("picks", result.picks, case.output("picks"))
    merged = [sorted(group) for group in result.groups]
    if merged != [sorted(group) for group in case.output("merged")]:
        yield f"merged: {merged}, not {case.output('merged')}"
    yield from differences("poses", result.poses, case.output("poses"), _CLOSE)
    yield from differences("scores", result.scores, case.output("scores"), _CLOSE)
    yield from differences("boxes", result.boxes, case.output("boxes"), _CLOSE)
    picked = case.input("box_scores").reshape(-1)[result.picks]
    yield from differences("box_scores", picked, case.output("box_scores"), _CLOSE)
    yield from differences("proposal_scores", result.proposal_scores, case.output("proposal_scores"), _CLOSE)
    reach = np.float32(ALPHAPOSE.alpha) * (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    sure = np.where(scores == 0, np.float32(1e-5), scores)
    similarity, matches = pose_similarity(poses, sure, reach, parameters)
    yield from differences("similarity", similarity, case.output("similarity_of_all_pairs"), _CLOSE)
    yield from differences("matches", matches, case.output("matches_of_all_pairs"))


def _oks_nms(case: Case) -> Iterator[str]:
    given = case.input("keypoints"), case.input("scores"), case.input("areas")
    for name in case.outputs:
        want = case.output(name)
        if name.endswith("first_to_all"):
            alike = oks_matrix(given[0], given[2])
            yield from differences(name, alike[0], want, _CLOSE)
            continue
        threshold, _, visible = name.rpartition("nms_")[2].partition("_vis")
        if "soft" in name:
            got = soft_oks_nms(*given, float(threshold))
        else:
            got = oks_nms(*given, float(threshold), float(visible) if visible else None)
        yield from differences(name, got, want)


def _box_nms(case: Case) -> Iterator[str]:
    rows = case.input("boxes_and_scores")
    for name in case.outputs:
        got = box_nms(rows[:, :4], rows[:, 4], float(name.removeprefix("kept_")))
        yield from differences(name, got, case.output(name))


def _proposals(case: Case) -> Iterator[str]:
    size = tuple(case.params["image_size_wh"])
    got = propose(case.input("boxes_xyxy"), size, case.input("uniforms"), case.input("normals"))
    yield from differences("boxes", got, case.output("boxes"), _CLOSE)


CHECKS = {"pose_nms": _pose_nms, "oks_nms, soft_oks_nms": _oks_nms, "nms": _box_nms, "addDPG": _proposals}
