"""From the recorded raw outputs of the detectors to the detections MediaPipe made of them."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.region import pad_region, region_of
from graphflow.calculators.payloads import Detection
from graphflow.calculators.tensor.non_max_suppression import NonMaxSuppression
from graphflow.calculators.tensor.ssd_anchors import SsdAnchors
from graphflow.calculators.tensor.tensors_to_detections import TensorsToDetections

from graphflow.testing import run_calculator

# detector: side of its input, strides, keypoints, golden file and stream
DETECTORS: dict[str, tuple[int, list[int], int, str, str]] = {
    "pose_detection": (224, [8, 16, 32, 32, 32], 4, "pose", "pose_detection"),
    "palm_detection_full": (192, [8, 16, 16, 16], 7, "hands", "palm_detections"),
    "face_detection_short_range": (128, [8, 16, 16, 16], 6, "face_detection_short", "detections"),
}


def detect(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], detector: str) -> list[Detection]:
    """The detections of raw outputs, normalized to the detector's input."""
    side, strides, keypoints, _, _ = DETECTORS[detector]
    grid = {
        "num_layers": len(strides),
        "min_scale": 0.1484375,
        "max_scale": 0.75,
        "input_size_width": side,
        "input_size_height": side,
        "strides": strides,
        "aspect_ratios": [1.0],
        "fixed_anchor_size": True,
    }
    ((_, anchors),) = run_calculator(SsdAnchors, options=grid)[""]
    count, coords = len(scores), 4 + 2 * keypoints
    assert len(anchors) == count
    decoding: dict[str, Any] = {
        "num_classes": 1,
        "num_boxes": count,
        "num_coords": coords,
        "keypoint_coord_offset": 4,
        "num_keypoints": keypoints,
        "sigmoid_score": True,
        "score_clipping_thresh": 100.0,
        "reverse_output_order": True,
        "min_score_thresh": 0.5,
        **{f"{axis}_scale": float(side) for axis in "xywh"},
    }
    tensors = [boxes.reshape(1, count, coords), scores.reshape(1, count, 1)]
    found = run_calculator(TensorsToDetections, {"TENSORS": [(0, tensors)]}, decoding, {"ANCHORS": anchors})
    suppression = {
        "min_suppression_threshold": 0.3,
        "overlap_type": "INTERSECTION_OVER_UNION",
        "algorithm": "WEIGHTED",
        "return_empty_detections": True,
    }
    ((_, kept),) = run_calculator(NonMaxSuppression, {"": found["DETECTIONS"]}, suppression)[""]
    assert isinstance(kept, list)
    return kept


def row(detection: Detection, padding: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """A detection as the goldens have it, normalized to the image: the letterbox taken off."""
    left, top, right, bottom = padding.astype(np.float64)
    scale = np.array([1 - left - right, 1 - top - bottom])
    assert detection.box is not None
    place = (detection.box[:2] - [left, top]) / scale
    points = (detection.keypoints - [left, top]) / scale
    return np.concatenate([detection.scores, place, detection.box[2:] / scale, points.ravel()])


@pytest.mark.parametrize("detector", DETECTORS)
def test_detections_of_recorded_outputs(shared: Path, detector: str) -> None:
    side, _, _, golden_file, stream = DETECTORS[detector]
    raw = np.load(shared / f"data/goldens/raw_detectors/{detector}.npz")
    goldens = np.load(shared / f"data/goldens/images/{golden_file}.npz")
    names = goldens["names"].tolist()
    compared = 0
    for key in raw.files:
        if not key.endswith("/input"):
            continue
        name = key.removesuffix("/input")
        width, height = (int(length) for length in goldens["image_size_wh"][names.index(name)])
        _, padding = pad_region(region_of(width, height, None), side, side)
        golden = np.atleast_2d(goldens[stream][names.index(name)])
        golden = golden[~np.isnan(golden[:, 0])]
        kept = detect(raw[f"{name}/output0"], raw[f"{name}/output1"], detector)[: max(len(golden), 1)]
        found = [row(detection, padding) for detection in kept]
        assert len(found) == len(golden), name
        for one, expected in zip(found, golden, strict=True):
            np.testing.assert_allclose(one, expected, atol=2e-6, err_msg=name)
            compared += 1
    assert compared >= 1
