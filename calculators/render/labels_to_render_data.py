"""LabelsToRenderData: classes as lines of text in a corner."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow import timestamp as ts
from graphflow.context import Binding

from ..payloads import Classification
from ..video_header import VideoHeader
from .render_data import ColorOption, RenderData, Text

_LINE_TO_FONT = 1.25


class LabelsToRenderData(Calculator):
    """Says how classes look: a line for each of the first ones, in the upper or lower left corner.

    Source: MediaPipe LabelsToRenderDataCalculator; there, BOTTOM_LEFT does not work.
    """

    labels = Input("LABELS", list[str], "names; this or CLASSIFICATIONS", optional=True)
    scores = Input("SCORES", list[float], "as many as LABELS", optional=True)
    classifications = Input("CLASSIFICATIONS", list[Classification], "this or LABELS", optional=True)
    header = Input("VIDEO_PRESTREAM", VideoHeader, "size of the frames, for BOTTOM_LEFT", optional=True)
    render_data = Output("RENDER_DATA", RenderData, "what to draw")

    color: list[ColorOption] = Option([], "of the lines, in turn; red without any")
    thickness: float = Option(2.0, "of the letters")
    outline_color: list[ColorOption] = Option([], "around the letters of the lines, in turn; black without any")
    outline_thickness: float = Option(0.0, "of the outline around the letters")
    font_height_px: int = Option(50, "in pixels")
    horizontal_offset_px: int = Option(0, "from the left edge, in pixels")
    vertical_offset_px: int = Option(0, "from the edge, downwards, in pixels")
    max_num_labels: int = Option(1, "how many lines at most")
    font_face: int = Option(0, "OpenCV's number of the font")
    location: Literal["TOP_LEFT", "BOTTOM_LEFT"] = Option("TOP_LEFT", "the corner")
    use_display_name: bool = Option(False, "accepted for MediaPipe's graphs; a class has one name here")
    display_classification_score: bool = Option(False, "put the score behind the name")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.labels in binding.slots) == (self.classifications in binding.slots):
            yield "connect one of LABELS and CLASSIFICATIONS"
        if self.location == "BOTTOM_LEFT" and self.header not in binding.slots:
            yield "option 'location' can be BOTTOM_LEFT only with the input VIDEO_PRESTREAM"

    def open(self, context: Context) -> None:
        self._frame_height = 0

    def process(self, context: Context) -> None:
        if context.timestamp == ts.PRESTREAM:
            if context[self.header] is not None:
                self._frame_height = context[self.header].height
            return
        lines = self._lines(context)
        if lines is not None:
            context[self.render_data] = RenderData(tuple(self._texts(lines[: max(self.max_num_labels, 0)])))

    def _lines(self, context: Context) -> list[str] | None:
        classes, labels, scores = context[self.classifications], context[self.labels], context[self.scores]
        if classes is not None:
            labels, scores = [found.label for found in classes], [found.score for found in classes]
        if labels is None:
            return None
        scored = context.is_connected(self.scores) or (self.display_classification_score and scores is not None)
        if not scored:
            return list(labels)
        if scores is None or len(scores) != len(labels):
            raise ValueError(f"{len(labels)} labels need as many scores, not {0 if scores is None else len(scores)}")
        return [f"{label}:{np.float32(score):.6g}" for label, score in zip(labels, scores, strict=True)]

    def _texts(self, lines: list[str]) -> Iterable[Text]:
        line_height = math.ceil(self.font_height_px * _LINE_TO_FONT)
        baseline = self.vertical_offset_px + line_height
        if self.location == "BOTTOM_LEFT":
            baseline = self.vertical_offset_px + self._frame_height - line_height * (len(lines) - 1)
        for number, line in enumerate(lines):
            yield Text(
                line,
                float(self.horizontal_offset_px),
                float(baseline + number * line_height),
                self.color[number % len(self.color)].rgb if self.color else (255, 0, 0),
                self.thickness,
                float(self.font_height_px),
                font_face=self.font_face,
                outline=self.outline_color[number % len(self.outline_color)].rgb if self.outline_color else (0, 0, 0),
                outline_thickness=self.outline_thickness,
            )
