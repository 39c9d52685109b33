"""Anchors, decoding and suppression against recorded cases and plain numpy twins."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import Detection
from graphflow.calculators.tensor.detection_kernels import (
    INTERSECTION_OVER_UNION,
    JACCARD,
    MODIFIED_JACCARD,
    XYWH,
    XYXY,
    YXHW,
    BoxCoding,
    ScoreCoding,
    decode,
    similarity,
)
from graphflow.calculators.tensor.landmarks_to_tensor import LandmarksToTensor
from graphflow.calculators.tensor.non_max_suppression import NonMaxSuppression
from graphflow.calculators.tensor.ssd_anchors import SsdAnchors
from graphflow.calculators.tensor.tensors_to_detections import TensorsToDetections

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]

GRID = {
    "num_layers": 2,
    "min_scale": 0.2,
    "max_scale": 0.8,
    "input_size_width": 32,
    "input_size_height": 32,
    "strides": [8, 16],
    "aspect_ratios": [1.0],
}
UNSCALED = {"x_scale": 1, "y_scale": 1, "w_scale": 1, "h_scale": 1}


def anchors_of(options: dict[str, Any]) -> Floats:
    ((_, anchors),) = run_calculator(SsdAnchors, options=options)[""]
    assert isinstance(anchors, np.ndarray)
    return anchors


@pytest.mark.parametrize("name", ["basic", "fixed_list", "ratios"])
def test_recorded_anchors(recorded: Any, name: str) -> None:
    case = recorded(f"ssd_anchors_{name}")
    found = anchors_of(case.options("SsdAnchors"))
    expected = case.content["expect"]["side_outputs"]["an"]["value"]
    rows = [[anchor.get(field, 0.0) for field in ("x_center", "y_center", "w", "h")] for anchor in expected]
    np.testing.assert_array_equal(found, np.array(rows, np.float32))


def test_anchors_of_the_pose_detector() -> None:
    """Two boxes a cell and layer: 28 x 28, 14 x 14, and three layers of 7 x 7."""
    anchors = anchors_of(
        {
            "num_layers": 5,
            "min_scale": 0.1484375,
            "max_scale": 0.75,
            "input_size_width": 224,
            "input_size_height": 224,
            "strides": [8, 16, 32, 32, 32],
            "aspect_ratios": [1.0],
            "fixed_anchor_size": True,
        }
    )
    assert anchors.shape == (2 * (28 * 28 + 14 * 14 + 3 * 7 * 7), 4)
    assert anchors.dtype == np.float32
    assert (anchors[:, 2:] == 1).all()
    np.testing.assert_array_equal(anchors[:3, :2], np.array([[0.5, 0.5], [0.5, 0.5], [1.5, 0.5]], np.float32) / 28)
    np.testing.assert_array_equal(anchors[-1, :2], np.array([6.5, 6.5], np.float32) / 7)


def test_anchors_of_a_pyramid() -> None:
    anchors = anchors_of(
        {
            "multiscale_anchor_generation": True,
            "input_size_width": 64,
            "input_size_height": 48,
            "min_level": 3,
            "max_level": 4,
            "strides": [8, 16],
            "aspect_ratios": [1.0, 4.0],
        }
    )
    assert anchors.shape == ((8 * 6 + 4 * 3) * 4, 4)
    first = np.array([[4, 4, 32, 32], [4, 4, 32 * 2**0.5, 32 * 2**0.5], [4, 4, 64, 16]])
    np.testing.assert_allclose(anchors[:3], first / [64, 48, 64, 48], rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "'input_size_height' must be set"),
        ({**GRID, "strides": [8]}, "'strides' needs one value for each of 2 layers"),
        ({**GRID, "feature_map_width": [4, 2]}, "'feature_map_height' needs one size for each of 2 layers"),
        ({"fixed_anchors": [{"x_center": 0, "y_center": 0, "w": 1, "h": 1}], "num_layers": 1}, "drop .'num_layers'"),
    ],
)
def test_impossible_anchors_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(SsdAnchors, options=options)


def decoded(case: Any) -> list[tuple[int, list[Detection]]]:
    """The decoding half of a recorded graph, its other nodes taken one by one."""
    streams = [
        run_calculator(
            LandmarksToTensor,
            {"LANDMARKS": list(case.packets(stream).items())},
            case.options("LandmarksToTensor", number),
        )["TENSORS"]
        for number, stream in enumerate(("m", "s"))
    ]
    joined = [(timestamp, [*boxes, *scores]) for (timestamp, boxes), (_, scores) in zip(*streams, strict=True)]
    anchors = anchors_of(case.options("SsdAnchors"))
    options = case.options("TensorsToDetections")
    return run_calculator(TensorsToDetections, {"TENSORS": joined}, options, {"ANCHORS": anchors})["DETECTIONS"]


@pytest.mark.parametrize(
    "name",
    [
        *("allow_class", "basic", "clip", "exp", "flip", "ignore_class"),
        *("max_results", "no_threshold", "three_classes", "xywh"),
    ],
)
def test_recorded_decoding(recorded: Any, name: str) -> None:
    case = recorded(f"tensors_to_detections_{name}")
    case.check("o", decoded(case))


def test_recorded_decoding_and_weighted_suppression(recorded: Any) -> None:
    case = recorded("tensors_to_detections_nms_chain")
    kept = run_calculator(NonMaxSuppression, {"": decoded(case)}, case.options("NonMaxSuppression"))[""]
    case.check("n", kept)


@pytest.mark.parametrize(
    "name", ["default_iou", "max_num", "min_score", "modified_jaccard", "multiclass", "weighted_min_score"]
)
def test_recorded_suppression(recorded: Any, name: str) -> None:
    case = recorded(f"nms_{name}")
    streams = [case.packets(stream) for stream in sorted(case.streams(), key=lambda stream: int(stream[1:]))]
    timestamps = sorted({timestamp for packets in streams for timestamp in packets})
    merged = [(at, [packets[at] for packets in streams if at in packets]) for at in timestamps]
    case.check("o", run_calculator(NonMaxSuppression, {"": merged}, case.options("NonMaxSuppression"))[""])


def twin_decode(
    raw: Floats, raw_scores: Floats, anchors: Floats, box: BoxCoding, score: ScoreCoding
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Boxes [xmin, ymin, w, h], scores and anchors of what passes, in float64 on whole arrays."""
    raw64, (ax, ay, aw, ah) = raw.astype(np.float64), anchors.astype(np.float64).T
    a, b, c, d = raw64[:, box.box_offset : box.box_offset + 4].T
    y, x, h, w = {
        YXHW: (a, b, c, d),
        XYWH: (b, a, d, c),
        XYXY: ((d - b) / 2, (c - a) / 2, d + b, c + a),
    }[box.layout]
    x, y = x / box.x_scale * aw + ax, y / box.y_scale * ah + ay
    size = np.exp if box.exponential else np.asarray
    w, h = size(w / box.w_scale) * aw, size(h / box.h_scale) * ah
    top = 1 - (y + h / 2) if box.flip_y else y - h / 2
    logits = np.clip(raw_scores[:, 0].astype(np.float64), -score.clip, score.clip)
    scores = 1 / (1 + np.exp(-logits)) if score.sigmoid else raw_scores[:, 0].astype(np.float64)
    passed = np.flatnonzero((scores >= score.minimum) & (w >= 0) & (h >= 0))
    return np.stack([x - w / 2, top, w, h], -1)[passed], scores[passed], passed


@pytest.mark.parametrize("layout", [YXHW, XYWH, XYXY])
@pytest.mark.parametrize("exponential", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_decoding_equals_its_twin(layout: int, exponential: bool, flip: bool) -> None:
    random = np.random.default_rng(0)
    count, keypoints = 200, 3
    raw = random.normal(0, 30, (count, 12)).astype(np.float32)
    scores = random.normal(0, 3, (count, 1)).astype(np.float32)
    raw[:4] = np.nan
    scores[4:6] = np.nan
    anchors = random.uniform(0.1, 1, (count, 4)).astype(np.float32)
    scales = (np.float32(value) for value in (128, 96, 64, 32))
    box = BoxCoding(layout, 1, 6, keypoints, *scales, exponential, flip)
    score = ScoreCoding(True, np.float32(2.5), np.float32(0.3), False)
    found = decode(raw, scores, anchors, np.ones(1, np.bool_), box, score, -1)
    with np.errstate(invalid="ignore"):
        boxes, expected_scores, passed = twin_decode(raw, scores, anchors, box, score)
    assert 20 < len(passed) < count
    np.testing.assert_allclose(found.boxes, boxes, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.scores, expected_scores, rtol=1e-6)
    assert (found.classes == 0).all()
    points = raw[passed][:, 6:12].reshape(-1, keypoints, 2)[:, :, :: -1 if layout == YXHW else 1]
    at = points / [128, 96] * anchors[passed][:, None, 2:] + anchors[passed][:, None, :2]
    if flip:
        at[..., 1] = 1 - at[..., 1]
    np.testing.assert_allclose(found.keypoints, at, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("logit", [3.0, np.nan, np.inf])
@pytest.mark.parametrize("places", [[0], [63], [64], [129], [0, 1, 70], []])
def test_lonely_detections_are_found_wherever_they_are(places: list[int], logit: float) -> None:
    scores = np.full((130, 1), -20, np.float32)
    scores[places] = logit
    raw = np.ones((130, 4), np.float32)
    anchors = np.stack([np.arange(130), *np.ones((3, 130))], 1).astype(np.float32)
    box = BoxCoding(XYWH, 0, 4, 0, *np.ones(4, np.float32), False, False)
    score = ScoreCoding(True, np.float32(100), np.float32(0.5), False)
    found = decode(raw, scores, anchors, np.ones(1, np.bool_), box, score, -1)
    np.testing.assert_array_equal(found.boxes[:, 0], np.array([] if np.isnan(logit) else places) + 0.5)
    first = decode(raw, scores, anchors, np.ones(1, np.bool_), box, score, 1)
    np.testing.assert_array_equal(first.boxes, found.boxes[:1])


def test_no_allowed_class_gives_no_detection() -> None:
    options = {"num_classes": 2, "num_boxes": 1, "num_coords": 4, **UNSCALED}
    tensors = [np.ones((1, 1, 4), np.float32), np.array([[[0.2, 0.9]]], np.float32)]
    sides = {"ANCHORS": np.full((1, 4), 0.5, np.float32)}

    def classes(extra: dict[str, Any], more: dict[str, Any] | None = None) -> list[list[int]]:
        fed = {"TENSORS": [(0, tensors)]}
        found = run_calculator(TensorsToDetections, fed, {**options, **extra}, sides | (more or {}))
        return [detection.label_ids.tolist() for detection in found["DETECTIONS"][0][1]]

    assert classes({}) == [[1]]
    assert classes({"ignore_classes": 1}) == [[0]]
    assert classes({}, {"IGNORE_CLASSES": [1]}) == [[0]]
    assert classes({"allow_classes": [5]}) == []
    assert classes({"ignore_classes": [0, 1]}) == [[-1]]


def test_anchors_may_come_as_a_tensor() -> None:
    options = {"num_classes": 1, "num_boxes": 2, "num_coords": 4, **UNSCALED}
    anchors = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]], np.float32)
    tensors = [np.ones((1, 2, 4), np.float32), np.ones((1, 2, 1), np.float32)]
    by_side = run_calculator(TensorsToDetections, {"TENSORS": [(0, tensors)]}, options, {"ANCHORS": anchors})
    by_tensor = run_calculator(TensorsToDetections, {"TENSORS": [(0, [*tensors, anchors[:, [1, 0, 3, 2]]])]}, options)
    for one, other in zip(by_side["DETECTIONS"][0][1], by_tensor["DETECTIONS"][0][1], strict=True):
        np.testing.assert_array_equal(one.box, other.box)
    with pytest.raises(ValueError, match="no anchors"):
        run_calculator(TensorsToDetections, {"TENSORS": [(0, tensors)]}, options)


def test_model_that_decodes_itself() -> None:
    boxes = np.array([[[0.1, 0.2, 0.5, 0.8], [0.3, 0.3, 0.2, 0.9], [0, 0, 1, 1], [9, 9, 9, 9]]], np.float32)
    tensors = [boxes, np.array([[1, 0, 2, 7]], np.float32), np.array([[0.9, 0.8, 0.3, 0.99]], np.float32)]
    tensors.append(np.array([3], np.float32))
    options = {"num_classes": 3, "num_coords": 4, "min_score_thresh": 0.5}
    ((_, found),) = run_calculator(TensorsToDetections, {"TENSORS": [(0, tensors)]}, options)["DETECTIONS"]
    assert [(detection.label_ids.tolist(), detection.scores.tolist()) for detection in found] == [
        ([1], [pytest.approx(0.9)])
    ]
    np.testing.assert_allclose(found[0].box, [0.2, 0.1, 0.6, 0.4], rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_keypoints": 1}, "make 'num_coords' 6, not 4"),
        ({"max_results": 0}, "'max_results' must not be 0"),
        ({"allow_classes": [0], "ignore_classes": [1]}, "set one of 'allow_classes'"),
        ({"tensor_mapping": {"detections_tensor_index": 0, "scores_tensor_index": 2}}, "each of 0..1 once"),
        ({"tensor_mapping": {"detections_tensor_index": 0}}, "must name one of"),
        ({"num_boxes": 3}, r"boxes must be \[1, 3, 4\], not \[1, 2, 4\]"),
    ],
)
def test_impossible_decoding_is_named(change: dict[str, Any], message: str) -> None:
    tensors = [np.ones((1, 2, 4), np.float32), np.ones((1, 2, 1), np.float32)]
    options = {"num_classes": 1, "num_boxes": 2, "num_coords": 4, **change}
    with pytest.raises(ValueError, match=message):
        run_calculator(
            TensorsToDetections, {"TENSORS": [(0, tensors)]}, options, {"ANCHORS": np.ones((2, 4), np.float32)}
        )


def twin_similarity(first: Floats, second: Floats, kind: int) -> float:
    a, b = first.astype(np.float64), second.astype(np.float64)
    area = [max(box[2] - box[0], 0) * max(box[3] - box[1], 0) for box in (a, b)]
    overlap = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    around = (np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])).prod()
    whole = {JACCARD: around, MODIFIED_JACCARD: area[1], INTERSECTION_OVER_UNION: area[0] + area[1] - overlap}[kind]
    return float(overlap / whole) if whole > 0 else 0.0


KINDS = {
    "JACCARD": JACCARD,
    "MODIFIED_JACCARD": MODIFIED_JACCARD,
    "INTERSECTION_OVER_UNION": INTERSECTION_OVER_UNION,
}


def random_detections(random: np.random.Generator, count: int) -> list[Detection]:
    boxes = np.concatenate([random.uniform(0, 0.6, (count, 2)), random.uniform(0.01, 0.5, (count, 2))], 1)
    boxes[random.random(count) < 0.1, 2] = 0  # without area
    boxes[random.random(count) < 0.05, 3] = -0.1  # inside out
    scores = random.permutation(count) / count + 0.001
    return [
        Detection(
            boxes[i].astype(np.float32),
            scores[i : i + 1].astype(np.float32),
            np.zeros(1, np.int32),
            (),
            random.uniform(0, 1, (2, 2)).astype(np.float32),
        )
        for i in range(count)
    ]


def corners(detection: Detection) -> Floats:
    assert detection.box is not None
    return np.concatenate([detection.box[:2], detection.box[:2] + detection.box[2:]])


@pytest.mark.parametrize("kind", KINDS)
def test_similarity_equals_its_twin(kind: str) -> None:
    random = np.random.default_rng(1)
    boxes = [corners(detection) for detection in random_detections(random, 60)]
    for first in boxes:
        for second in boxes:
            if (first[2:] < first[:2]).any() or (second[2:] < second[:2]).any():
                assert similarity(first, second, KINDS[kind]) == 0
            else:
                expected = twin_similarity(first, second, KINDS[kind])
                assert similarity(first, second, KINDS[kind]) == pytest.approx(expected, abs=2e-6)
    assert not similarity(np.full(4, np.nan, np.float32), boxes[0], KINDS[kind]) > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("algorithm", ["DEFAULT", "WEIGHTED"])
@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_suppression_equals_its_twin(kind: str, algorithm: str, count: int) -> None:
    random = np.random.default_rng(count)
    for _ in range(20):
        detections = random_detections(random, count)
        options = {"min_suppression_threshold": 0.3, "overlap_type": kind, "algorithm": algorithm}
        ((_, found),) = run_calculator(NonMaxSuppression, {"": [(0, detections)]}, options)[""]
        left = sorted(detections, key=lambda detection: -detection.scores[0])
        expected: list[tuple[Detection, npt.NDArray[Any]]] = []
        if algorithm == "DEFAULT":
            for one in left:
                if all(similarity(corners(kept), corners(one), KINDS[kind]) <= np.float32(0.3) for kept, _ in expected):
                    expected.append((one, corners(one)))
        while algorithm == "WEIGHTED" and left:
            top = left[0]
            group = [one for one in left if similarity(corners(one), corners(top), KINDS[kind]) > np.float32(0.3)]
            if not group:
                expected.append((top, corners(top)))
                break
            weights = [one.scores[0] for one in group]
            expected.append((top, np.average([corners(one) for one in group], 0, weights)))
            left = [one for one in left if not any(one is member for member in group)]
        assert [one.scores[0] for one in found] == [one.scores[0] for one, _ in expected]
        for one, (_, sides) in zip(found, expected, strict=True):
            np.testing.assert_allclose(corners(one), sides, atol=2e-6)


def test_suppression_of_nothing() -> None:
    fed: dict[str, Any] = {"": [(0, []), (1, [Detection(np.zeros(4, np.float32))])]}
    assert run_calculator(NonMaxSuppression, fed)[""] == [(1, [])], "a detection without a class is dropped"
    assert run_calculator(NonMaxSuppression, fed, {"return_empty_detections": True})[""] == [(0, []), (1, [])]


def test_the_best_class_of_a_detection_counts() -> None:
    detection = Detection(
        np.array([0, 0, 1, 1], np.float32), np.array([0.2, 0.7], np.float32), np.array([4, 9], np.int32)
    )
    ((_, (kept,)),) = run_calculator(NonMaxSuppression, {"": [(0, [detection])]})[""]
    assert (kept.label_ids.tolist(), kept.scores.tolist()) == ([9], [pytest.approx(0.7)])


def test_pixel_boxes_need_the_image() -> None:
    boxes = np.array([[0, 0, 50, 50], [0, 0, 50, 49]], np.float32)
    scores = np.array([[0.9], [0.8]], np.float32)
    found = [
        Detection(box, score, np.zeros(1, np.int32), box_format="pixel")
        for box, score in zip(boxes, scores, strict=True)
    ]
    options = {"min_suppression_threshold": 0.5}
    with pytest.raises(ValueError, match="connect IMAGE"):
        run_calculator(NonMaxSuppression, {"": [(0, found)]}, options)
    image = np.zeros((100, 200, 3), np.uint8)
    ((_, kept),) = run_calculator(NonMaxSuppression, {"": [(0, found)], "IMAGE": [(0, image)]}, options)[""]
    assert [detection.scores[0] for detection in kept] == [np.float32(0.9)]
    assert kept[0].box is found[0].box


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_detection_streams": 2}, "'num_detection_streams' is 2, but 1 are connected"),
        ({"max_num_detections": 0}, "must not be 0"),
        ({"overlap_type": "UNSPECIFIED_OVERLAP_TYPE"}, "must be one of JACCARD"),
    ],
)
def test_impossible_suppression_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(NonMaxSuppression, {"": [(0, [])]}, options)
