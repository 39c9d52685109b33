"""The calculators that say how things look: which shapes come out, with MediaPipe's sizes, colours and rounding."""

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import (
    Classification,
    Detection,
    LandmarkList,
    NormalizedLandmarkList,
    NormalizedRect,
    Rect,
)
from graphflow.calculators.render.detections_to_render_data import DetectionsToRenderData
from graphflow.calculators.render.iris_to_render_data import IrisToRenderData
from graphflow.calculators.render.labels_to_render_data import LabelsToRenderData
from graphflow.calculators.render.landmarks_to_render_data import FaceLandmarksToRenderData, LandmarksToRenderData
from graphflow.calculators.render.rects_to_render_data import RectToRenderData, RectToRenderScale
from graphflow.calculators.render.render_data import (
    Box,
    GradientLines,
    Lines,
    Oval,
    Points,
    Rectangle,
    RenderData,
    Shape,
    Text,
)
from graphflow.calculators.video_header import VideoHeader

from graphflow import timestamp as ts
from graphflow.testing import run_calculator


def shapes(calculator: Any, inputs: dict[str, Any], options: dict[str, Any] | None = None) -> tuple[Shape, ...]:
    """The shapes of the one packet that comes out where each input has one packet."""
    packets = {tag: [(7, value)] for tag, value in inputs.items()}
    [(timestamp, data)] = run_calculator(calculator, packets, options)["RENDER_DATA"]
    assert timestamp == 7
    assert isinstance(data, RenderData)
    return data.shapes


def landmarks(*points: tuple[float, float, float], visibility: list[float] | None = None) -> NormalizedLandmarkList:
    seen = None if visibility is None else np.array(visibility, np.float32)
    return NormalizedLandmarkList(np.array(points, np.float32), seen)


class TestDetections:
    box = np.array([0.2, 0.4, 0.5, 0.3], np.float32)

    def test_label_box_and_keypoints(self) -> None:
        detection = Detection(
            self.box,
            np.array([0.918], np.float32),
            np.array([3], np.int32),
            keypoints=np.array([[0.5, 0.6]], np.float32),
        )
        options = {"thickness": 4.0, "color": {"g": 255}}
        text, rectangle, points = shapes(DetectionsToRenderData, {"DETECTIONS": [detection]}, options)
        assert isinstance(text, Text)
        assert (text.text, text.normalized, text.color) == ("3,0.92,", True, (0, 255, 0))
        line = np.float32(np.float32(0.3) * 0.1)
        assert text.left == pytest.approx(0.2)
        assert text.baseline == pytest.approx(float(np.float32(0.4)) + float(line))
        assert text.font_height == pytest.approx(float(line) * 0.9)
        assert isinstance(rectangle, Rectangle)
        assert (rectangle.box.right, rectangle.box.bottom) == pytest.approx((0.7, 0.7))
        assert rectangle.box.normalized
        assert rectangle.thickness == 4.0
        assert isinstance(points, Points)
        np.testing.assert_allclose(points.xy, [[0.5, 0.6]], rtol=1e-6)

    @pytest.mark.parametrize(
        ("options", "texts"),
        [
            ({}, ["cat,0.5,dog,0.25,"]),
            ({"one_label_per_line": True, "text_delimiter": " "}, ["cat 0.5 ", "dog 0.25 "]),
            ({"render_detection_id": True}, ["Id: 9", "cat,0.5,dog,0.25,"]),
        ],
    )
    def test_lines(self, options: dict[str, Any], texts: list[str]) -> None:
        detection = Detection(
            np.array([10, 20, 30, 40], np.float32),
            np.array([0.5, 0.25], np.float32),
            labels=("cat", "dog"),
            box_format="pixel",
            detection_id=9,
        )
        found = shapes(DetectionsToRenderData, {"DETECTION": detection}, options)
        lines = [shape for shape in found if isinstance(shape, Text)]
        assert [line.text for line in lines] == texts
        assert [line.baseline for line in lines] == [20 + 8 * number for number in range(1, len(texts) + 1)]
        assert not lines[0].normalized

    @pytest.mark.parametrize(
        ("box", "expected"),
        [
            ([-0.1, 0.5, 0.3, 0.9], Box(0.0, 0.5, 0.2, 1.0, normalized=True)),
            ([1.1, 0.5, 0.3, 0.3], None),
            ([-0.5, 0.5, 0.3, 0.3], None),
        ],
    )
    def test_boxes_are_cut_off_at_the_image(self, box: list[float], expected: Box | None) -> None:
        found = shapes(DetectionsToRenderData, {"DETECTION": Detection(np.array(box, np.float32))})
        rectangles = [shape.box for shape in found if isinstance(shape, Rectangle)]
        if expected is None:
            assert rectangles == []
        else:
            [rectangle] = rectangles
            for name in ("left", "top", "right", "bottom"):
                assert getattr(rectangle, name) == pytest.approx(getattr(expected, name), abs=1e-6)

    @pytest.mark.parametrize(("produces", "count"), [(True, 1), (False, 0)])
    def test_nothing_found(self, produces: bool, count: int) -> None:
        options = {"produce_empty_packet": produces}
        found = run_calculator(DetectionsToRenderData, {"DETECTIONS": [(0, [])]}, options)["RENDER_DATA"]
        assert [len(data.shapes) for _, data in found] == [0] * count

    @pytest.mark.parametrize(
        ("detection", "message"),
        [
            (Detection(None), "without a box"),
            (Detection(box, np.array([0.5], np.float32)), "1 scores for 0 classes"),
        ],
    )
    def test_unfit_detections(self, detection: Detection, message: str) -> None:
        with pytest.raises(ValueError, match=message):
            shapes(DetectionsToRenderData, {"DETECTION": detection})


class TestLandmarks:
    triangle = landmarks((0.1, 0.2, 0.0), (0.5, 0.6, 0.0), (0.9, 0.1, 0.0), visibility=[0.9, 0.4, 0.8])

    def test_lines_and_points(self) -> None:
        options = {
            "landmark_connections": [0, 1, 1, 2, 2, 3],
            "landmark_color": {"r": 255},
            "connection_color": {"b": 9},
            "thickness": 2.0,
        }
        inputs = {"NORM_LANDMARKS": self.triangle, "RENDER_SCALE": 1.5}
        lines, points = shapes(LandmarksToRenderData, inputs, options)
        assert isinstance(lines, Lines)
        np.testing.assert_allclose(lines.ends, [[0.1, 0.2, 0.5, 0.6], [0.5, 0.6, 0.9, 0.1]], rtol=1e-6)
        assert (lines.color, lines.thickness, lines.normalized) == ((0, 0, 9), 3.0, True)
        assert isinstance(points, Points)
        assert (points.colors, points.thickness, len(points.xy)) == ((255, 0, 0), 3.0, 3)

    @pytest.mark.parametrize(
        ("options", "lines", "points"),
        [
            ({"utilize_visibility": True, "visibility_threshold": 0.5}, 1, 2),
            ({"utilize_visibility": True, "visibility_threshold": 0.95}, 0, 0),
            ({"utilize_presence": True, "presence_threshold": 0.5}, 3, 3),
            ({"render_landmarks": False}, 3, 0),
        ],
    )
    def test_what_is_left_out(self, options: dict[str, Any], lines: int, points: int) -> None:
        options = {"landmark_connections": [0, 1, 1, 2, 2, 0], **options}
        found = shapes(LandmarksToRenderData, {"NORM_LANDMARKS": self.triangle}, options)
        assert sum(len(shape.ends) for shape in found if isinstance(shape, Lines)) == lines
        assert sum(len(shape.xy) for shape in found if isinstance(shape, Points)) == points

    def test_depth(self) -> None:
        nearest, middle, farthest = (1.0, 2.0, -1.0), (3.0, 4.0, 0.0), (5.0, 6.0, 1.0)
        found = shapes(
            LandmarksToRenderData,
            {"LANDMARKS": LandmarkList(np.array([nearest, middle, farthest], np.float32))},
            {"landmark_connections": [0, 2], "max_depth_circle_thickness": 10.0},
        )
        lines, points = found
        assert isinstance(lines, GradientLines)
        # MediaPipe weighs the colours so: black where z is largest
        np.testing.assert_array_equal(lines.colors, [[[255] * 3, [0] * 3]])
        assert not lines.normalized
        assert isinstance(points, Points)
        np.testing.assert_array_equal(points.colors, np.repeat([[255], [128], [1]], 3, axis=1))
        np.testing.assert_array_equal(points.thickness, [10, 5, 0])

    def test_face(self) -> None:
        face = NormalizedLandmarkList(np.random.default_rng(1).random((468, 3), np.float32))
        found = shapes(FaceLandmarksToRenderData, {"NORM_LANDMARKS": face}, {"visualize_landmark_depth": False})
        assert isinstance(found[0], Lines)
        assert len(found[0].ends) == 124, "132 connections, without the 8 of the irises"
        np.testing.assert_allclose(found[0].ends[0], face.xyz[[61, 146], :2].reshape(4))
        refined = NormalizedLandmarkList(np.random.default_rng(1).random((478, 3), np.float32))
        found = shapes(FaceLandmarksToRenderData, {"NORM_LANDMARKS": refined}, {"visualize_landmark_depth": False})
        assert isinstance(found[0], Lines)
        assert len(found[0].ends) == 132

    def test_no_landmarks(self) -> None:
        assert (
            shapes(LandmarksToRenderData, {"NORM_LANDMARKS": NormalizedLandmarkList(np.zeros((0, 3), np.float32))})
            == ()
        )

    @pytest.mark.parametrize(("connections", "message"), [([0, 1, 2], "pairs"), ([0, -1], "from 0")])
    def test_wrong_connections(self, connections: list[int], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            shapes(LandmarksToRenderData, {"NORM_LANDMARKS": self.triangle}, {"landmark_connections": connections})


class TestRects:
    @pytest.mark.parametrize(
        ("tag", "rects", "boxes"),
        [
            ("NORM_RECT", NormalizedRect(0.5, 0.5, 0.25, 0.5, 0.3), [Box(0.375, 0.25, 0.625, 0.75, 0.3, True)]),
            ("RECT", Rect(10, 20, 5, 4), [Box(7.5, 18.0, 12.5, 22.0)]),
            ("NORM_RECTS", [NormalizedRect(2.0, 0.5, 0.5, 0.5), NormalizedRect(2.0, 0.5, 0.5, 0.5, 0.1)], 1),
            ("RECTS", [Rect(-10, 5, 4, 4), Rect(900, 5, 4, 4)], [Box(898.0, 3.0, 902.0, 7.0)]),
            ("NORM_RECTS", [], []),
        ],
    )
    def test_boxes(self, tag: str, rects: Any, boxes: list[Box] | int) -> None:
        found = shapes(RectToRenderData, {tag: rects}, {"color": {"r": 1}, "thickness": 3.0})
        assert all(isinstance(shape, Rectangle) and shape.thickness == 3.0 for shape in found)
        if isinstance(boxes, int):
            assert len(found) == boxes
        else:
            assert [shape.box for shape in found if isinstance(shape, Rectangle)] == boxes

    def test_kinds(self) -> None:
        inputs = {"RECT": Rect(10, 20, 4, 4)}
        [oval] = shapes(RectToRenderData, inputs, {"oval": True, "filled": True})
        assert isinstance(oval, Oval)
        assert oval.filled
        [marked] = shapes(RectToRenderData, inputs, {"top_left_thickness": 2.0})
        assert isinstance(marked, Rectangle)
        assert marked.top_left_thickness == 2.0
        with pytest.raises(ValueError, match="top_left_thickness"):
            shapes(RectToRenderData, inputs, {"top_left_thickness": 2.0, "oval": True})

    def test_scale(self) -> None:
        inputs = {
            "NORM_RECT": [(0, NormalizedRect(0.5, 0.5, 0.25, 0.5))],
            "IMAGE_SIZE": [(0, (640, 480)), (1, (640, 480))],
        }
        found = run_calculator(RectToRenderScale, inputs, {"multiplier": 0.5})["RENDER_SCALE"]
        assert found == [(0, 120.0), (1, 0.5)]


class TestLabels:
    classes = [Classification(0, 0.75, "left"), Classification(1, 0.25, "right")]

    @pytest.mark.parametrize(
        ("inputs", "options", "lines"),
        [
            ({"CLASSIFICATIONS": classes}, {}, [("left", 63.0)]),
            (
                {"CLASSIFICATIONS": classes},
                {
                    "max_num_labels": 5,
                    "display_classification_score": True,
                    "font_height_px": 20,
                    "vertical_offset_px": 3,
                },
                [("left:0.75", 28.0), ("right:0.25", 53.0)],
            ),
            ({"LABELS": ["a", "b"], "SCORES": [0.5, 1.0]}, {"max_num_labels": 2}, [("a:0.5", 63.0), ("b:1", 126.0)]),
            ({"LABELS": ["a"]}, {"display_classification_score": True}, [("a", 63.0)]),
        ],
    )
    def test_lines(self, inputs: dict[str, Any], options: dict[str, Any], lines: list[tuple[str, float]]) -> None:
        found = shapes(LabelsToRenderData, inputs, options)
        assert [(text.text, text.baseline) for text in found if isinstance(text, Text)] == lines

    def test_lower_corner(self) -> None:
        inputs = {
            "VIDEO_PRESTREAM": [(ts.PRESTREAM, VideoHeader(640, 480, 30.0))],
            "CLASSIFICATIONS": [(0, self.classes)],
        }
        options = {"location": "BOTTOM_LEFT", "max_num_labels": 2, "font_height_px": 40}
        [(_, data)] = run_calculator(LabelsToRenderData, inputs, options)["RENDER_DATA"]
        assert [text.baseline for text in data.shapes] == [430.0, 480.0]

    def test_scores_for_all(self) -> None:
        with pytest.raises(ValueError, match="2 labels need as many scores, not 1"):
            shapes(LabelsToRenderData, {"LABELS": ["a", "b"], "SCORES": [0.5]})


class TestIris:
    # centre, right, top, left, bottom: 10 pixels wide and high in an image of 100 x 50
    one = np.array([[0.5, 0.5, 0], [0.55, 0.5, 0], [0.5, 0.4, 0], [0.45, 0.5, 0], [0.5, 0.6, 0]], np.float32)
    both = NormalizedLandmarkList(np.concatenate((one, one)))

    def test_shapes(self) -> None:
        inputs = {"IRIS": self.both, "IMAGE_SIZE": (100, 50), "LEFT_IRIS_DEPTH_MM": 445.0}
        options = {"oval_color": {"g": 5}, "oval_thickness": 4.0, "font_height_px": 20, "location": "BOTTOM_LEFT"}
        oval, points, _, _, text = shapes(IrisToRenderData, inputs, options)
        assert isinstance(oval, Oval)
        assert (oval.box.left, oval.box.right) == pytest.approx((0.45, 0.55))
        assert (oval.box.top, oval.box.bottom) == pytest.approx((0.4, 0.6))
        assert (oval.color, oval.thickness) == ((0, 5, 0), 4.0)
        assert isinstance(points, Points)
        assert len(points.xy) == 5
        assert isinstance(text, Text)
        assert (text.text, text.baseline) == ("Left : :45 cm", 20.0)

    def test_endless_distance_is_not_written(self) -> None:
        inputs = {"IRIS": self.both, "IMAGE_SIZE": (100, 50), "RIGHT_IRIS_DEPTH_MM": float("inf")}
        assert not any(isinstance(shape, Text) for shape in shapes(IrisToRenderData, inputs))

    def test_needs_both(self) -> None:
        with pytest.raises(ValueError, match="10 landmarks"):
            shapes(IrisToRenderData, {"IRIS": NormalizedLandmarkList(self.one), "IMAGE_SIZE": (100, 50)})
