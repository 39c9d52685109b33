"""Measures of poses against the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from graphflow.evaluation.metrics import (
    Counts,
    area_under_curve,
    end_point_error,
    mean_per_joint_position_error,
    normalized_mean_error,
    pck,
    pcp,
)
from graphflow.evaluation.oks import COCO_FIELDS, coco_keypoint_summary, coco_oks_matrix, oks

from .cases import Array, Case, differences

_COCO, _OKS, _MMPOSE = 1e-6, 1e-9, 1e-6


def _coco(case: Case) -> Iterator[str]:
    folder = case.topic.folder
    summary = coco_keypoint_summary(folder / case.params["gt"], folder / case.params["dt"])
    yield from differences("fields", list(COCO_FIELDS), case.output("fields"))
    got = [summary.values[name] for name in case.output("fields")]
    for peer in ("pycocotools", "faster_coco_eval"):
        yield from differences(peer, got, case.output(peer), _COCO)
    yield from differences("precision", summary.precision[[0, 5, 9]], case.output("precision_iou50_75_95"), _COCO)
    yield from differences("recall", summary.recall, case.output("recall_all_thresholds"), _COCO)


def _oks_matrices(case: Case) -> Iterator[str]:
    folder = case.topic.folder
    annotations = {each["id"]: each for each in json.loads((folder / case.params["gt"]).read_text())["annotations"]}
    detections = json.loads((folder / case.params["dt"]).read_text())
    for image, recorded in json.loads((folder / case.params["file"]).read_text()).items():
        own = [each for each in detections if each["image_id"] == int(image)]
        columns = [annotations[number] for number in recorded["columns_annotation_ids"]]
        got = coco_oks_matrix(own, columns, case.params["sigmas"])
        yield from differences(f"image {image}", got, recorded["oks"], _OKS)


def _oks_pairs(case: Case) -> Iterator[str]:
    truth = case.input("gt")
    got = oks(case.input("dt"), truth[..., :2], truth[..., 2] > 0, case.input("area"), case.params["sigmas"])
    yield from differences("oks", got, case.output("oks"), _OKS)


def _as_mmpose(counts: Counts) -> Array:
    """mmpose says -1 where there is nothing to find."""
    return np.where(counts.of > 0, counts.shares, -1.0)


def _keypoint_eval(case: Case) -> Iterator[str]:
    predicted, truth, mask = (case.input(name) for name in ("pred", "gt", "mask"))
    size = case.input("norm_factor")
    spatial = (np.concatenate([points, points[..., :1]], axis=2) for points in (predicted, truth))
    predicted_3d, truth_3d = spatial
    truth_3d = np.concatenate([truth, truth[..., 1:]], axis=2)
    for name in case.outputs:
        kind, _, rest = name.partition("_")
        got: float | Array
        if kind == "pck":
            threshold, _, what = rest.partition("_")
            counts = pck(predicted, truth, mask, size, float(threshold), strict=True)
            by_name = {"per_keypoint": _as_mmpose(counts), "mean": counts.mean, "count": (counts.of > 0).sum()}
            got = by_name[what]
        elif kind == "auc":
            length, steps = rest.removeprefix("norm").split("_")
            got = area_under_curve(predicted, truth, mask, float(length), int(steps))
        elif kind == "epe":
            got = end_point_error(predicted, truth, mask)
        elif kind == "nme":
            got = normalized_mean_error(predicted, truth, mask, size)
        else:
            got = mean_per_joint_position_error(predicted_3d, truth_3d, mask, rest)  # type: ignore[arg-type]
        # a sum in float32 there is not exacter than the step between two float32 of that size
        step = float(np.spacing(np.float32(np.abs(case.output(name)).max()))) if kind in ("epe", "nme") else 0.0
        tolerance = max(_MMPOSE, step)
        yield from differences(name, got, case.output(name), tolerance)


def _heatmap_pck(case: Case) -> Iterator[str]:
    width, height = case.params["heatmap_size_wh"]
    swapped = np.tile([[height, width]], (len(case.input("mask")), 1))  # the fault that the README names
    points = case.input("predicted_argmax"), case.input("target_argmax")
    counts = pck(*points, case.input("mask"), swapped, case.params["threshold"], strict=True)
    yield from differences("per_keypoint", _as_mmpose(counts), case.output("per_keypoint"), _MMPOSE)
    yield from differences("mean", counts.mean, case.output("mean"), _MMPOSE)
    yield from differences("count", (counts.of > 0).sum(), case.output("count"))


def _tables(case: Case) -> Iterator[str]:
    predicted, truth, labelled = (case.input(name) for name in ("pred", "gt", "labelled"))
    lengths = {"pdj": "torso", "pck_box": "box_side", "pckh": "head_length", "pck_torso": "torso"}
    for name in case.outputs:
        want = case.output(name)
        if name.startswith("pcp"):
            _, rule, threshold = name.split("_")
            parts = pcp(predicted, truth, labelled, case.params["limbs"], float(threshold), rule)  # type: ignore[arg-type]
            for limb, counts in want.items():
                got = {"right": int(parts[limb].right[0]), "of": int(parts[limb].of[0])}
                if got != counts:
                    yield f"{name} of {limb}: {got}, not {counts}"
            continue
        strict = name.startswith("mmpose_")
        stem = name.removeprefix("mmpose_").removesuffix("_per_keypoint")
        kind, _, threshold = stem.rpartition("_")
        counts = pck(predicted, truth, labelled, case.input(lengths[kind]), float(threshold), strict)
        if strict:
            yield from differences(name, _as_mmpose(counts), want, _MMPOSE)
        else:
            rows = [[each["right"], each["of"]] for each in want]
            yield from differences(name, np.stack([counts.right, counts.of], axis=1), rows)


CHECKS = {
    "COCO keypoint evaluation": _coco,
    "computeOks": _oks_matrices,
    "OKS": _oks_pairs,
    "mmpose keypoint_eval": _keypoint_eval,
    "pose_pck_accuracy": _heatmap_pck,
    "PCP, PDJ, PCK, PCKh": _tables,
}
