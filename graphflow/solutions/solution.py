"""Runs a shipped graph on one image after the other, as `mp.solutions` does: in goes an image, out come its results."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from graphflow.errors import CalculatorError, GraphflowError
from graphflow.loading import load
from graphflow.packet import Packet
from graphflow.runtime import Graph

FRAME_US = 33_333
"""Microseconds between images, whatever the camera says: 30 frames a second, as MediaPipe assumes."""


class Solution:
    """A shipped graph that is given one image at a time and waited for.

    Args:
        graph: name of the graph.
        outputs: the streams to compute.
        params: the graph's parameters.
        static_image_mode: whether the images have nothing to do with each other; each then meets the graph as new.

    Raises:
        ModelError: a model cannot be had.
        GraphConfigError: a parameter has a wrong value.
    """

    def __init__(
        self,
        graph: str,
        outputs: Sequence[str],
        *,
        params: Mapping[str, Any],
        static_image_mode: bool = False,
    ) -> None:
        self._graph: Graph = load(graph, params=params, prune=True)
        self._found: dict[str, Any] = {}
        for stream in outputs:
            # not a method of this object, or the graph's threads would keep it alive
            self._graph.observe(stream, functools.partial(_keep, self._found, stream))
        self._input = self._graph.checked.spec.inputs[0].name
        self._static = static_image_mode
        self._timestamp = 0
        self._graph.start()
        # the graph's threads outlive an object that nobody closes
        self._end = weakref.finalize(self, _end, self._graph)

    def close(self) -> None:
        """Ends the graph and its threads.

        Raises:
            ValueError: it was closed before.
        """
        self._check_open()
        self._end()

    def reset(self) -> None:
        """Forgets all images seen so far; nothing happens where it is closed already."""
        if not self._end.alive:
            return
        try:
            self._graph.reset()
        except CalculatorError:
            # a run that failed stays so, but the graph can be run again
            _end(self._graph)
            self._graph.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, image: npt.NDArray[np.uint8]) -> dict[str, Any]:
        """What the graph says of an image, by stream; a stream is absent where it says nothing."""
        self._check_open()
        self._timestamp += FRAME_US
        pixels = _checked(image)
        self._found.clear()
        if self._static and self._timestamp > FRAME_US:
            self.reset()
        try:
            self._graph.add_packet(self._input, pixels, self._timestamp)
            # the image is the caller's again afterwards, so nobody may still be reading it
            self._graph.wait_until_idle()
        except GraphflowError as error:
            raise RuntimeError(str(error)) from error
        return self._found

    def _check_open(self) -> None:
        if not self._end.alive:
            raise ValueError(f"this {type(self).__name__} is closed: make a new one")


def _checked(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The image as the graph takes it: contiguous, and not the caller's own array object, which stays writeable.

    Raises:
        ValueError: the shape is not [H, W, 3].
        TypeError: it is no array, or its numbers are not bytes.
    """
    if not isinstance(image, np.ndarray):
        raise TypeError(f"process() takes an image as a uint8 array [H, W, 3], RGB, not {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            f"process() takes an image of three channels, RGB, as an array [H, W, 3]; this one is {list(image.shape)}"
        )
    if not np.can_cast(image.dtype, np.uint8, "safe"):
        raise TypeError(f"process() takes an image of bytes, uint8 in 0..255; this one is {image.dtype}")
    return np.ascontiguousarray(image, np.uint8).view()


def _keep(found: dict[str, Any], stream: str, packet: Packet) -> None:
    found[stream] = packet.value


def _end(graph: Graph) -> None:
    graph.cancel()
    with contextlib.suppress(GraphflowError):
        graph.wait_until_done()
