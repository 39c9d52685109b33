"""People out of tags."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from graphflow.calculators.grouping.associative_embedding import (
    HIGHERHRNET,
    TaggedPeople,
    TagParameters,
    aggregate_stages,
    as_tensors,
    group_by_tags,
)
from graphflow.calculators.grouping.topology import COCO_PARTNERS
from graphflow.calculators.tensor.heatmap_encoding import encode_people

from .cases import Array, Case, differences
from .runner import arrays_are_there

_POINTS, _UDP, _SCORES, _MAPS = 1e-3, 1e-2, 1e-5, 1e-5


def _in_order(points: Array, wanted: Array) -> list[int]:
    """For each recorded person the nearest of ours that is free: people may be compared as a set."""
    free = list(range(len(points)))
    order = []
    for person in wanted:
        apart = [np.nanmean(np.abs(points[other] - person)) for other in free]
        order.append(free.pop(int(np.argmin(apart))))
    return order


def _parameters(case: Case) -> TagParameters:
    params = case.params
    if "decode_keypoint_order" not in params:
        return TagParameters(reference="mmpose")
    return TagParameters(
        params["decode_keypoint_thr"],
        params["decode_tag_thr"],
        params["decode_nms_kernel"],
        params["decode_topk"],
        params["decode_max_instances"],
        tuple(params["decode_keypoint_order"]),
        "udp" if params["use_udp"] else "quarter",
        params["decode_gaussian_kernel"],
        params["decode_center_shift"],
        reference="mmpose",
    )


def _decode(case: Case) -> Iterator[str]:
    params = case.params
    holder = case if "heatmaps" in case.inputs else case.other("scene")
    maps = holder.input("heatmaps")
    found = group_by_tags(maps, as_tensors(holder.input("tags"), len(maps)), _parameters(case))
    less = 1 if params.get("use_udp") else 0
    scale = (np.array(params["input_size"]) - less) / (np.array(params["heatmap_size"]) - less)
    yield from _people(case, found, found.keypoints * scale, _UDP if less else _POINTS)


def _people(case: Case, found: TaggedPeople, points: Array, within: float) -> Iterator[str]:
    want = case.output("keypoints")
    if len(points) != len(want):
        yield f"people: {len(points)}, not {len(want)}"
        return
    order = _in_order(points, want)
    yield from differences("keypoints", points[order].reshape(want.shape), want, within)
    yield from differences("scores", found.scores[order], case.output("scores"), _SCORES)
    if "instance_scores" in case.outputs:
        yield from differences("instance_scores", found.person_scores[order], case.output("instance_scores"), _SCORES)


def _encode(case: Case) -> Iterator[str]:
    params = case.params
    sizes = tuple(params["input_size"]), tuple(params["heatmap_size"])
    placed = "udp" if params["use_udp"] else "rounded"
    maps, indices, weights = encode_people(
        case.input("keypoints"),
        case.input("visible"),
        *sizes,
        params["sigma"],
        placed,  # type: ignore[arg-type]
    )
    yield from differences("heatmaps", maps, case.output("heatmaps"), _MAPS)
    yield from differences("keypoint_indices", indices, case.output("keypoint_indices"))
    yield from differences("weights", weights, case.output("weights"))


def _higherhrnet(case: Case) -> Iterator[str]:
    params = case.params
    names = ("stage0_of_flipped_image", "stage1_of_flipped_image") if params["flip_test"] else ()
    flipped = [case.input(name) for name in names]
    size = tuple(params["input_size"]) if params["project2image"] else None
    maps, tags = aggregate_stages([case.input("stage0"), case.input("stage1")], flipped, COCO_PARTNERS, size)
    yield from differences("heatmaps_shape", (1, *maps.shape), case.output("heatmaps_shape"))
    yield from differences("heatmaps", maps[:, ::4, ::4], case.output("heatmaps_every_4th"), _MAPS)
    last = tags.transpose(1, 2, 3, 0)
    yield from differences("tags_shape", (1, *last.shape), case.output("tags_shape"))
    yield from differences("tags", last[:, ::4, ::4], case.output("tags_every_4th"), _MAPS)
    parameters = TagParameters(
        params["detection_threshold"],
        params["tag_threshold"],
        params["nms_kernel"],
        params["max_people"],
        params["max_people"],
        center_shift=HIGHERHRNET.center_shift,
        fill_missing=params["refine"],
        reference="higherhrnet",
    )
    found = group_by_tags(maps, tags, parameters)
    want = case.output("poses")
    if len(found.keypoints) != len(want):
        yield f"people: {len(found.keypoints)}, not {len(want)}"
        return
    order = _in_order(found.keypoints, want[..., :2])
    yield from differences("poses", found.keypoints[order], want[..., :2], _POINTS)
    yield from differences("scores", found.scores[order], want[..., 2], _SCORES)
    yield from differences("person_scores", found.person_scores[order], case.output("person_scores"), _SCORES)


CHECKS = {
    "scene": arrays_are_there,
    "AssociativeEmbedding.batch_decode": _decode,
    "AssociativeEmbedding.encode": _encode,
    "HigherHRNet get_multi_stage_outputs + aggregate_results + HeatmapParser.parse": _higherhrnet,
}
