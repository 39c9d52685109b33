"""Classes out of a classifier's output tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

import numpy as np
from pydantic import BeforeValidator

from graphflow import RESOURCES, Calculator, Context, Input, Option, OptionGroup, Output, Resources
from graphflow.context import Binding

from ..payloads import Classification
from .class_filter import ClassFilter
from .label_map import LabelItem, as_mapping, read_labels
from .tensors import TensorsOrOne, flat_values, tensor_list


class LabelMapEntry(OptionGroup):
    """The name of a class, the older way."""

    id: int = 0
    label: str = ""


class LabelMap(OptionGroup):
    """Names of classes, the older way."""

    entries: list[LabelMapEntry] = []


class TensorsToClassification(Calculator):
    """Turns the scores of a classifier into classes with index, score and name.

    Source: MediaPipe's TensorsToClassificationCalculator.
    """

    fusible = True
    services = (RESOURCES,)

    tensors = Input("TENSORS", TensorsOrOne, "one float32 tensor with a score for each class")
    classifications = Output("CLASSIFICATIONS", list[Classification], "in the order of the classes unless sorted")

    min_score_threshold: float | None = Option(None, "drop classes that score less; not of a binary classification")
    top_k: int = Option(0, "keep only the so many best, best first; all where not positive")
    sort_by_descending_score: bool = Option(False, "best first")
    label_map_path: str = Option("", "a text file with the name of a class on each line")
    label_map: LabelMap | None = Option(None, "the names; label_items is the newer way")
    label_items: Annotated[dict[int, LabelItem], BeforeValidator(as_mapping)] = Option({}, "the names by class")
    binary_classification: bool = Option(False, "the only number is the first class's score, the rest the second's")
    ignore_classes: list[int] = Option([], "classes to leave out")
    allow_classes: list[int] = Option([], "the only classes to keep")

    _labels: Mapping[int, str]
    _classes: ClassFilter

    def check(self, binding: Binding) -> Iterable[str]:
        if self.allow_classes and self.ignore_classes:
            yield "set one of 'allow_classes' and 'ignore_classes'"
        if self.binary_classification and (self.allow_classes or self.ignore_classes):
            yield "a binary classification has nothing to allow or ignore"

    def open(self, context: Context) -> None:
        self._labels = self._load_labels(context.service(RESOURCES))
        self._classes = ClassFilter(self.allow_classes, self.ignore_classes)

    def process(self, context: Context) -> None:
        value = context[self.tensors]
        if value is None:
            return
        tensors = tensor_list(value)
        if len(tensors) != 1:
            raise ValueError(f"TENSORS must hold one tensor of scores, not {len(tensors)}")
        scores = flat_values(tensors[0])
        if self.binary_classification:
            if scores.size != 1:
                raise ValueError(f"a binary classification has one number, not {scores.size}")
            scores = np.array([scores[0], 1.0 - float(scores[0])], np.float32)
        if self._labels and len(self._labels) != scores.size:
            raise ValueError(f"{scores.size} classes need as many labels, not {len(self._labels)}")
        found = [
            Classification(index, float(score), self._labels.get(index, ""))
            for index, score in enumerate(scores)
            if self.binary_classification or self._keeps(index, score)
        ]
        if self.top_k > 0 or self.sort_by_descending_score:
            found.sort(key=lambda classification: -classification.score)
        context[self.classifications] = found[: self.top_k] if self.top_k > 0 else found

    def _keeps(self, index: int, score: np.float32) -> bool:
        threshold = self.min_score_threshold
        return self._classes.allows(index) and (threshold is None or not score < np.float32(threshold))

    def _load_labels(self, resources: Resources) -> Mapping[int, str]:
        if self.label_map_path:
            return read_labels(resources.find(self.label_map_path))
        if self.label_items:
            return {index: item.name for index, item in self.label_items.items()}
        entries = self.label_map.entries if self.label_map else []
        labels = {entry.id: entry.label for entry in entries}
        if len(labels) != len(entries):
            raise ValueError(f"option 'label_map' names a class twice: {sorted(entry.id for entry in entries)}")
        return labels
