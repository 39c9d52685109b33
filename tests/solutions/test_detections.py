import numpy as np
import pytest
from graphflow.calculators import payloads

from graphflow.solutions.detections import Classification, ClassificationList, Detection
from graphflow.solutions.face_detection import FaceKeyPoint, get_key_point

FACE = payloads.Detection(
    box=np.array([0.25, 0.5, 0.125, 0.0625], np.float32),
    scores=np.array([0.921885848], np.float32),
    label_ids=np.array([0], np.int32),
    keypoints=np.arange(12, dtype=np.float32).reshape(6, 2) / 16,
)


def test_a_detection_has_mediapipes_fields() -> None:
    detection = Detection(FACE)
    location = detection.location_data
    box = location.relative_bounding_box
    assert (box.xmin, box.ymin, box.width, box.height) == (0.25, 0.5, 0.125, 0.0625)
    assert detection.score == [pytest.approx(0.921885848)]
    assert detection.label_id == [0]
    assert location.format == location.RELATIVE_BOUNDING_BOX == 2
    assert [(point.x, point.y) for point in location.relative_keypoints][2] == (0.25, 0.3125)
    assert detection.HasField("location_data")
    assert location.HasField("relative_bounding_box")


def test_arrays_are_those_of_the_graph() -> None:
    location = Detection(FACE).location_data
    assert location.relative_bounding_box.array is FACE.box
    assert location.relative_keypoints.array is FACE.keypoints


def test_text_of_a_detection() -> None:
    text = str(Detection(FACE))
    assert text.startswith("label_id: 0\nscore: 0.921885848\nlocation_data {\n  format: RELATIVE_BOUNDING_BOX\n")
    assert (
        "  relative_bounding_box {\n    xmin: 0.25\n    ymin: 0.5\n    width: 0.125\n    height: 0.0625\n  }\n" in text
    )
    assert text.count("relative_keypoints {") == 6
    assert text.endswith("  relative_keypoints {\n    x: 0.625\n    y: 0.6875\n  }\n}\n")


def test_key_points_by_name() -> None:
    point = get_key_point(Detection(FACE), FaceKeyPoint.MOUTH_CENTER)
    assert point is not None
    assert (point.x, point.y) == (0.375, 0.4375)
    assert get_key_point(None, FaceKeyPoint.NOSE_TIP) is None


def test_handedness() -> None:
    hand = ClassificationList([payloads.Classification(1, 0.978523493, "Right")])
    best = hand.classification[0]
    assert (best.index, best.label, best.display_name) == (1, "Right", "")
    assert best.score == pytest.approx(0.978523493)
    assert not best.HasField("display_name")
    assert str(hand) == 'classification {\n  index: 1\n  score: 0.978523493\n  label: "Right"\n}\n'
    assert str(Classification(payloads.Classification(3, 0.5, 'a "b"\\'))) == (
        'index: 3\nscore: 0.5\nlabel: "a \\"b\\"\\\\"\n'
    )
    assert "label" not in str(Classification(payloads.Classification(3, 0.5)))
