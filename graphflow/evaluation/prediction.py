"""What graphs say of annotated images: people with the keypoints that the annotations name, and how long it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphflow import config
from graphflow.config.checked import CheckedGraph
from graphflow.feeding import frame_input
from graphflow.packet import Packet
from graphflow.pipeline import data_outputs
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph

from .annotations import Annotations

Doubles = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]
"""Called after each image with how many are done, and of how many."""


@dataclass(frozen=True, slots=True, eq=False)
class FoundPerson:
    """One person that a graph found: float64 [K, 3] x, y in pixels and confidence, and the score of the whole."""

    keypoints: Doubles
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a graph found.

    Attributes:
        people: for each image of the annotations, those found; the surest first.
        milliseconds: for each image, from giving it to having all that the graph finds, models loaded and warm.
        cpu_milliseconds: of all threads, for each image.
        single: whether the graph finds one person at most.
    """

    people: tuple[tuple[FoundPerson, ...], ...]
    milliseconds: tuple[float, ...]
    cpu_milliseconds: tuple[float, ...]
    single: bool


class Predictor:
    """Runs one graph on images, each on its own: the graph is started anew, and remembers nothing."""

    def __init__(
        self,
        graph: str | Path,
        keypoint_names: Sequence[str],
        *,
        params: Mapping[str, Any] | None = None,
        overrides: Mapping[str, Any] | None = None,
    ) -> None:
        """Read a graph.

        Args:
            graph: name of a shipped graph, a path, or the text of one; its outputs that carry bodies of 17 (COCO) or
                33 (BlazePose) normalized landmarks, lists of them, or mappings from person to them, are the people.
            keypoint_names: those that the annotations have.
            params: values for the graph's parameters.
            overrides: options of single nodes.

        Raises:
            GraphConfigError: the graph is wrong.
            ValueError: it finds no people.
        """
        checked = config.load(graph, params=params, overrides=overrides)
        frames = frame_input(checked)
        streams = _people_streams(checked)
        if frames is None or not streams:
            outputs = ", ".join(entry.name for entry in checked.spec.outputs) or "none"
            raise ValueError(f"'{checked.spec.name}' has no output with people in images; its outputs are: {outputs}")
        self._names = tuple(keypoint_names)
        self._single = not any(_is_list(checked, stream) for stream in streams)
        self._streams = streams
        self._runner = _Runner(checked, frames, streams)
        self._people: list[tuple[FoundPerson, ...]] = []
        self._milliseconds: list[float] = []
        self._cpu_milliseconds: list[float] = []

    def see(self, image: npt.NDArray[np.uint8]) -> None:
        """Run on the next image, uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the graph gives other keypoints than the annotations have.
            CalculatorError: it fails.
        """
        if not self._people:
            self._runner.run(image)  # loads models, compiles kernels
        start, cpu = time.perf_counter(), time.process_time()
        found = self._runner.run(image)
        self._milliseconds.append((time.perf_counter() - start) * 1e3)
        self._cpu_milliseconds.append((time.process_time() - cpu) * 1e3)
        self._people.append(_people([found[name] for name in self._streams if name in found], image, self._names))

    @property
    def predictions(self) -> Predictions:
        """What was found so far."""
        times = tuple(self._milliseconds), tuple(self._cpu_milliseconds)
        return Predictions(tuple(self._people), *times, self._single)


def predict(
    predictors: Iterable[Predictor], annotations: Annotations, images: str | Path, progress: Progress | None = None
) -> list[Predictions]:
    """Run graphs on every annotated image in turn, so that a change of the machine's speed meets all of them.

    Args:
        predictors: the graphs.
        annotations: which images there are.
        images: the folder they are in.
        progress: called from this thread.

    Raises:
        ValueError: an image cannot be read; else as `Predictor.see`.
    """
    runs = list(predictors)
    for number, entry in enumerate(annotations.images, 1):
        image = _read(Path(images) / entry.file_name)
        for run in runs:
            run.see(image)
        if progress:
            progress(number, len(annotations.images))
    return [run.predictions for run in runs]


class _Runner:
    """A graph that is started anew for each image."""

    def __init__(self, checked: CheckedGraph, frames: str, streams: Sequence[str]) -> None:
        self._frames = frames
        self._found: dict[str, Any] = {}
        self._graph = Graph(checked, prune=True)
        self._graph.set_service(RESOURCES, Resources([checked.spec.folder]))
        # all that it finds: what a user of the graph waits for
        for stream in dict.fromkeys((*streams, *data_outputs(checked))):

            def keep(packet: Packet, stream: str = stream) -> None:
                self._found[stream] = packet.value

            self._graph.observe(stream, keep)

    def run(self, image: npt.NDArray[np.uint8]) -> dict[str, Any]:
        self._found.clear()
        self._graph.start()
        self._graph.add_packet(self._frames, image, 0)
        self._graph.close_all_inputs()
        self._graph.wait_until_done()
        return dict(self._found)


def _people_streams(checked: CheckedGraph) -> list[str]:
    from graphflow.calculators.payloads import NormalizedLandmarkList

    wanted = (NormalizedLandmarkList, list[NormalizedLandmarkList], dict)
    named = [stream for stream in data_outputs(checked) if checked.stream_types.get(stream) in wanted]
    # a graph may say hands and faces too
    bodies = [stream for stream in named if "pose" in stream or "people" in stream or "body" in stream]
    return bodies or named


def _is_list(checked: CheckedGraph, stream: str) -> bool:
    from graphflow.calculators.payloads import NormalizedLandmarkList

    return checked.stream_types.get(stream) in (list[NormalizedLandmarkList], dict)


def _read(path: Path) -> npt.NDArray[np.uint8]:
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"the annotated image {path} is missing or cannot be read; is --images the right folder?")
    return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8, copy=False)


def _people(found: Sequence[Any], image: npt.NDArray[np.uint8], names: tuple[str, ...]) -> tuple[FoundPerson, ...]:
    from graphflow.calculators.io.result_keypoints import COCO_FROM_BLAZEPOSE, people_in
    from graphflow.calculators.io.result_row import ResultRow

    people = []
    values = {f"body {number}": value for number, value in enumerate(found)}
    for person in people_in(ResultRow(0, 0, values, image)):
        points = person.body.astype(np.float64)
        if len(points) == 33 and len(names) == 17:
            points = points[list(COCO_FROM_BLAZEPOSE)]
        if len(points) != len(names):
            raise ValueError(f"the graph gives {len(points)} keypoints, the annotations have {len(names)}")
        people.append(FoundPerson(points, float(points[:, 2].mean())))
    return tuple(sorted(people, key=lambda person: -person.score))
