"""BeginLoop and EndLoop: runs a part of a graph for each item of a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from graphflow import Calculator, Context, Input, Output
from graphflow import timestamp as ts
from graphflow.context import Binding
from graphflow.packet import Packet

from ..payloads import Classification, Detection, ImageSize, LandmarkList, NormalizedLandmarkList, NormalizedRect
from .items import Item, Items


class _Begin(Calculator):
    """What both beginnings of a loop share: time inside of it, and the clones."""

    timestamp_offset = None
    process_timestamp_bounds = True

    clone = Input("CLONE", doc="what every turn of the loop needs", repeated=True, optional=True)
    cloned = Output("CLONE", doc="the same, for each item", repeated=True, optional=True, same_as=clone)
    batch_end = Output("BATCH_END", int, "at the last item, the timestamp outside of the loop; for the end of the loop")

    def check(self, binding: Binding) -> Iterable[str]:
        inputs, outputs = len(binding.slots.get(self.clone, ())), len(binding.slots.get(self.cloned, ()))
        if inputs != outputs:
            yield f"{inputs} inputs CLONE need as many outputs, not {outputs}"

    def open(self, context: Context) -> None:
        self._now = 0

    def _emit_items(self, context: Context, port: Output, items: Iterable[Any]) -> None:
        """One turn for each item; where there is none, time inside the loop passes all the same."""
        began = self._now
        clones = [context.packet(self.clone, index) for index in range(context.count(self.clone))]
        for item in items:
            context.emit(port, item, self._now)
            for index, packet in enumerate(clones):
                if not packet.empty:
                    context.emit_packet(self.cloned, packet.at(self._now), index)
            self._now += 1
        if self._now == began:
            self._now += 1
            context.set_bound(port, self._now)
            for index in range(len(clones)):
                context.set_bound(self.cloned, self._now, index)
        context.emit(self.batch_end, context.timestamp, self._now - 1)


class BeginLoop(_Begin):
    """Emits the items of a list one by one, at timestamps 0, 1, 2, … of their own.

    What stands between here and the `EndLoop` runs once for each item. Source: MediaPipe BeginLoopCalculator.
    """

    aliases = {
        "BeginLoopNormalizedLandmarkListVector": NormalizedLandmarkList,
        "BeginLoopInt": int,
        "BeginLoopNormalizedRect": NormalizedRect,
        "BeginLoopDetection": Detection,
        "BeginLoopMatrix": np.ndarray,
        "BeginLoopMatrixVector": list[np.ndarray],
        "BeginLoopUint64t": int,
        "BeginLoopTensor": np.ndarray,
        "BeginLoopImageFrame": np.ndarray,
        "BeginLoopGpuBuffer": np.ndarray,
        "BeginLoopImage": np.ndarray,
        "BeginLoopFloat": float,
        "BeginLoopString": str,
    }

    iterable = Input("ITERABLE", Items, "the items")
    tick = Input("TICK", doc="ignored; time that passes wakes the loop by itself", optional=True)
    item = Output("ITEM", Item, "one item")

    def process(self, context: Context) -> None:
        items = context[self.iterable]
        self._emit_items(context, self.item, () if items is None else items)


class BeginItemLoop(_Begin):
    """Emits the packets of several inputs one by one, at timestamps 0, 1, 2, … of their own.

    Source: MediaPipe BeginItemLoopCalculator.
    """

    items = Input("ITEM", doc="the items; at a timestamp all have a packet, or none has", repeated=True)
    item = Output("ITEM", doc="one item", same_as=items)

    def process(self, context: Context) -> None:
        items = context[self.items]
        missing = sum(item is None for item in items)
        if missing not in (0, len(items)):
            raise ValueError(f"{missing} of {len(items)} inputs ITEM have no packet; all must have one, or none")
        self._emit_items(context, self.item, () if missing else items)


class EndLoop(Calculator):
    """Collects the items that came out of a loop to a list, at the timestamp the loop began with.

    Where no item came out there is no list either, only time that passes. Source: MediaPipe EndLoopCalculator.
    """

    aliases = {
        "EndLoopNormalizedRect": NormalizedRect,
        "EndLoopLandmarkListVector": LandmarkList,
        "EndLoopNormalizedLandmarkListVector": NormalizedLandmarkList,
        "EndLoopBoolean": bool,
        "EndLoopFloat": float,
        "EndLoopRenderData": Any,
        "EndLoopClassificationList": list[Classification],
        "EndLoopTfLiteTensor": np.ndarray,
        "EndLoopDetection": Detection,
        "EndLoopMatrix": np.ndarray,
        "EndLoopTensor": np.ndarray,
        "EndLoopImageFrame": np.ndarray,
        "EndLoopGpuBuffer": np.ndarray,
        "EndLoopImage": np.ndarray,
        "EndLoopAffineMatrix": np.ndarray,
        "EndLoopImageSize": ImageSize,
    }

    timestamp_offset = None

    item = Input("ITEM", Item, "one item")
    batch_end = Input("BATCH_END", int, "BATCH_END of the beginning")
    iterable = Output("ITERABLE", Items, "the items")

    def open(self, context: Context) -> None:
        self._items: list[Any] = []

    def process(self, context: Context) -> None:
        if context[self.item] is not None:
            self._items.append(context[self.item])
        began = context[self.batch_end]
        if began is None:
            return
        if self._items:
            context.emit(self.iterable, self._items, began)
            self._items = []
        else:
            context.set_bound(self.iterable, began + 1)


class EndItemLoop(Calculator):
    """Gives the items that came out of a loop to an output each, at the timestamp the loop began with.

    Source: MediaPipe EndItemLoopCalculator.
    """

    timestamp_offset = None

    item = Input("ITEM", doc="one item")
    batch_end = Input("BATCH_END", int, "BATCH_END of the beginning")
    items = Output("ITEM", doc="as many outputs as items", repeated=True, same_as=item)

    def open(self, context: Context) -> None:
        self._items: list[Packet] = []

    def process(self, context: Context) -> None:
        if context[self.item] is not None:
            self._items.append(context.packet(self.item))
        began = context[self.batch_end]
        if began is None:
            return
        outputs = context.count(self.items)
        if self._items and len(self._items) != outputs:
            raise ValueError(f"{len(self._items)} items came out of the loop, but there are {outputs} outputs")
        for index in range(outputs):
            if self._items:
                context.emit_packet(self.items, self._items[index].at(began), index)
            else:
                context.set_bound(self.items, ts.next_allowed_in_stream(began), index)
        self._items = []
