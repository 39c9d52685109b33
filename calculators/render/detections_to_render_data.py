"""DetectionsToRenderData: boxes, key points and labels of detections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import Detection
from .render_data import Box, ColorOption, Points, Rectangle, RenderData, Shape, Text

_LINE_TO_BOX = 0.1
"""Height of a line of text, as a part of the box's height."""

_FONT_TO_LINE = 0.9


class TextOptions(OptionGroup):
    """How labels look; their place is given by the box."""

    display_text: str = ""
    left: float = 0.0
    baseline: float = 0.0
    font_height: float = 8.0
    normalized: bool = False
    font_face: int = 0
    center_horizontally: bool = False
    center_vertically: bool = False
    outline_thickness: float = 0.0
    outline_color: ColorOption = ColorOption()


class DetectionsToRenderData(Calculator):
    """Says how detections look: for each its labels with scores in the upper left, its box, its key points.

    Normalized boxes are cut off at the image's edges, and those outside left out. Source: MediaPipe
    DetectionsToRenderDataCalculator.
    """

    detection = Input("DETECTION", Detection, "one detection", optional=True)
    detections = Input("DETECTIONS", list[Detection], "detections", optional=True)
    detection_list = Input("DETECTION_LIST", list[Detection], "the same under MediaPipe's other name", optional=True)
    render_data = Output("RENDER_DATA", RenderData, "what to draw")

    produce_empty_packet: bool = Option(True, "emit data without shapes where nothing was found")
    text_delimiter: str = Option(",", "what stands behind a label and behind its score")
    one_label_per_line: bool = Option(False, "begin a line for each label")
    text: TextOptions = Option(TextOptions(), "how labels look")
    thickness: float = Option(1.0, "of everything")
    color: ColorOption = Option(ColorOption(), "of everything")
    scene_class: str = Option("DETECTION", "what kind of thing is shown")
    render_detection_id: bool = Option(False, "begin with a line for the number a tracker gave")

    def check(self, binding: Binding) -> Iterable[str]:
        if not binding.inputs:
            yield "connect one of DETECTION, DETECTIONS and DETECTION_LIST"

    def process(self, context: Context) -> None:
        found = [*(context[self.detection_list] or ()), *(context[self.detections] or ())]
        if context[self.detection] is not None:
            found.append(context[self.detection])
        if found or self.produce_empty_packet:
            shapes = tuple(shape for detection in found for shape in self._shapes(detection))
            context[self.render_data] = RenderData(shapes, self.scene_class)

    def _shapes(self, detection: Detection) -> Iterator[Shape]:
        if detection.box is None:
            raise ValueError("a detection without a box cannot be shown")
        left, top, width, height = (float(number) for number in detection.box)
        relative = detection.box_format == "relative"
        classes = max(len(detection.labels), len(detection.label_ids))
        # one line more than there are classes
        line = height * min(_LINE_TO_BOX, 1 / (classes + 1)) if relative else self.text.font_height
        yield from self._labels(detection, classes, float(np.float32(line)))
        box = _box(left, top, width, height, relative)
        if box is not None:
            yield Rectangle(box, self.color.rgb, self.thickness)
        if relative and len(detection.keypoints):
            yield Points(detection.keypoints.astype(np.float64), self.color.rgb, self.thickness, normalized=True)

    def _labels(self, detection: Detection, classes: int, line: float) -> Iterator[Text]:
        if len(detection.scores) != classes:
            raise ValueError(
                f"a detection has {len(detection.scores)} scores for {classes} classes; there must be one each"
            )
        names = detection.labels or tuple(str(number) for number in detection.label_ids)
        between = self.text_delimiter
        # as many digits as MediaPipe writes of a float
        scores = [f"{np.round(score * np.float32(100)) / np.float32(100):.6g}" for score in detection.scores]
        lines = [f"{name}{between}{score}{between}" for name, score in zip(names, scores, strict=True)]
        if not self.one_label_per_line:
            lines = ["".join(lines)]
        if self.render_detection_id:
            lines.insert(0, f"Id: {detection.detection_id}")
        assert detection.box is not None
        relative = detection.box_format == "relative"
        left, top = float(detection.box[0]), float(detection.box[1])
        for number, text in enumerate(lines, start=1):
            baseline = top + number * line
            yield Text(
                text,
                max(left, 0.0) if relative else left,
                min(baseline, 1.0) if relative else baseline,
                self.color.rgb,
                self.thickness,
                line * _FONT_TO_LINE if relative else self.text.font_height,
                relative,
                self.text.font_face,
                self.text.center_horizontally,
                self.text.center_vertically,
                self.text.outline_color.rgb,
                self.text.outline_thickness,
            )


def _box(left: float, top: float, width: float, height: float, relative: bool) -> Box | None:
    right, bottom = left + width, top + height
    if right < 0 or bottom < 0 or (relative and (left > 1 or top > 1)):
        return None
    if relative:
        return Box(max(left, 0.0), max(top, 0.0), min(right, 1.0), min(bottom, 1.0), normalized=True)
    return Box(left, top, right, bottom)
