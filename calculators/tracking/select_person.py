"""SelectPerson: one of several people, and who stays the one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import ImageSize, NormalizedRect


class SelectPerson(Calculator):
    """Passes what belongs to one person on, out of mappings from people's numbers.

    Whoever is chosen stays chosen while there, however the others move, and for `patience` timestamps of absence; then
    the choice is made anew. With `stay` false it is made anew at every timestamp, and may jump from one to another.
    Where nobody is chosen, nothing is emitted.
    """

    fusible = True

    regions = Input("ROIS", dict, "where people are, by number")
    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels, to measure in; default a square", optional=True)
    items = Input("*", doc="mappings from the person's number", optional=True)
    number = Output("NUMBER", int, "whose", optional=True)
    region = Output("ROI", NormalizedRect, "where the person is", optional=True)
    of_one = Output("*", doc="the item of the person, under the tag of the mapping", optional=True)

    by: Literal["largest", "nearest", "number", "area"] = Option(
        "largest", "the largest region; the nearest to x, y; that of `number`; the largest with its centre in `area`"
    )
    x: float = Option(0.5, "for nearest: of the image's width")
    y: float = Option(0.5, "for nearest: of the image's height")
    wanted: int = Option(1, "for number: the person's")
    area: list[float] = Option([0.0, 0.0, 1.0, 1.0], "for area: x_min, y_min, width, height, normalized")
    stay: bool = Option(True, "keep to the person who was chosen")
    patience: int = Option(15, "for how many timestamps somebody who is missing stays chosen")

    def check(self, binding: Binding) -> Iterable[str]:
        outputs = [entry for entry in binding.outputs if (entry.tag, entry.index) not in (("NUMBER", 0), ("ROI", 0))]
        inputs = {(entry.tag, entry.index) for entry in binding.inputs}
        for entry in outputs:
            if (entry.tag, entry.index) not in inputs:
                yield f"the output {entry.tag} has no input of the same tag and index to be taken from"
        if len(self.area) != 4:
            yield f"'area' is x_min, y_min, width, height, not {len(self.area)} numbers"

    def open(self, context: Context) -> None:
        self._chosen: int | None = None
        self._missing = 0
        places = {(entry.tag, entry.index): place for place, entry in enumerate(context.connections(self.items))}
        self._places = [places.get((entry.tag, entry.index)) for entry in context.connections(self.of_one)]

    def process(self, context: Context) -> None:
        regions: Mapping[int, NormalizedRect] | None = context[self.regions]
        if regions is None:
            return
        self._choose(regions, context[self.size] or (1, 1))
        chosen = self._chosen
        if chosen is None or chosen not in regions:
            return
        context[self.number] = chosen
        context[self.region] = regions[chosen]
        items = context[self.items]
        for index, place in enumerate(self._places):
            found: Mapping[int, Any] | None = None if place is None else items[place]
            if found is not None and chosen in found:
                context.emit(self.of_one, found[chosen], index=index)

    def _choose(self, regions: Mapping[int, NormalizedRect], size: ImageSize) -> None:
        if self._chosen is not None and self.stay and self.by != "number":
            self._missing = 0 if self._chosen in regions else self._missing + 1
            if self._missing <= self.patience:
                return
        self._missing = 0
        grades = {number: self._grade(number, region, size) for number, region in sorted(regions.items())}
        possible = [number for number, grade in grades.items() if grade > -math.inf]
        self._chosen = max(possible, key=grades.__getitem__, default=None)

    def _grade(self, number: int, region: NormalizedRect, size: ImageSize) -> float:
        """How well a person suits; -inf: not at all."""
        width, height = size
        if self.by == "number":
            return 0.0 if number == self.wanted else -math.inf
        if self.by == "nearest":
            return -math.hypot((region.x_center - self.x) * width, (region.y_center - self.y) * height)
        left, top, wide, high = self.area
        inside = left <= region.x_center <= left + wide and top <= region.y_center <= top + high
        if self.by == "area" and not inside:
            return -math.inf
        return region.width * width * region.height * height
