"""DetectionLabelIdToText: names in the place of class numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from graphflow import RESOURCES, Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import Detection
from .label_map import LabelItem, as_mapping, read_labels


class DetectionLabelIdToText(Calculator):
    """Gives detections the names of their classes; the numbers go, unless they are to be kept or have no name.

    Source: MediaPipe DetectionLabelIdToTextCalculator.
    """

    fusible = True
    services = (RESOURCES,)

    detections = Input("", list[Detection], "with class numbers")
    named = Output("", list[Detection], "with names")

    label_map_path: str = Option("", "a text file with the name of a class on each line")
    label: list[str] = Option([], "the names, from class 0 on")
    label_items: Annotated[dict[int, LabelItem], BeforeValidator(as_mapping)] = Option({}, "the names by class")
    keep_label_id: bool = Option(False, "keep the numbers beside the names")

    _labels: Mapping[int, str]

    def check(self, binding: Binding) -> Iterable[str]:
        if sum(map(bool, (self.label_map_path, self.label, self.label_items))) > 1:
            yield "set one of 'label_map_path', 'label' and 'label_items'"

    def open(self, context: Context) -> None:
        if self.label_map_path:
            self._labels = read_labels(context.service(RESOURCES).find(self.label_map_path))
        else:
            self._labels = {number: item.name for number, item in self.label_items.items()}
            self._labels |= dict(enumerate(self.label))

    def process(self, context: Context) -> None:
        detections = context[self.detections]
        if detections is not None:
            context[self.named] = [self._named(detection) for detection in detections]

    def _named(self, detection: Detection) -> Detection:
        names = tuple(self._labels[number] for number in detection.label_ids.tolist() if number in self._labels)
        if not names:
            return detection
        numbers = detection.label_ids if self.keep_label_id else np.zeros(0, np.int32)
        return dataclasses.replace(detection, labels=(*detection.labels, *names), label_ids=numbers)
