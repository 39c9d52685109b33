from collections.abc import Iterator

import numpy as np
import pytest
from graphflow.calculators.io.iterator_source import IteratorSource
from graphflow.calculators.io.sources import SourceError

import graphflow
from graphflow.testing import run_calculator

COPY = """
graph: Copy
inputs: [image]
outputs: [copy]
nodes: {pass: {calculator: PassThrough, inputs: [image], outputs: [copy]}}
"""
FRAMES = [np.full((2, 2, 3), level, np.uint8) for level in (10, 20, 30)]


@pytest.mark.parametrize(
    ("items", "options", "times"),
    [
        (FRAMES, {}, [0, 33_333, 66_667]),
        (FRAMES, {"fps": 10, "max_frames": 2}, [0, 100_000]),
        (list(zip((5, 70, 71), FRAMES, strict=True)), {}, [5, 70, 71]),
        (list(zip((5, 70, 71), FRAMES, strict=True)), {"fps": 10}, [0, 100_000, 200_000]),
        ([], {}, []),
    ],
)
def test_frames_and_pairs(items: list[object], options: dict[str, float], times: list[int]) -> None:
    found = run_calculator(IteratorSource, options=options, side_inputs={"FRAMES": items})["IMAGE"]
    assert [timestamp for timestamp, _ in found] == times
    assert [int(image[0, 0, 0]) for _, image in found] == [10, 20, 30][: len(times)]


def test_one_buffer_that_is_filled_again_and_again() -> None:
    def frames() -> Iterator[np.ndarray]:
        buffer = np.zeros((2, 2, 3), np.uint8)
        for level in (10, 20, 30):
            buffer[:] = level
            yield buffer

    found = run_calculator(IteratorSource, side_inputs={"FRAMES": frames()})["IMAGE"]
    assert [int(image[0, 0, 0]) for _, image in found] == [10, 20, 30]


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(SourceError, match="the iterator gave str as frame 1; it must give arrays"):
        run_calculator(IteratorSource, side_inputs={"FRAMES": [FRAMES[0], "frame"]})


def test_a_generator_is_closed_when_the_run_ends() -> None:
    ended = []

    def frames() -> Iterator[np.ndarray]:
        try:
            while True:
                yield FRAMES[0]
        finally:
            ended.append(True)

    results = graphflow.stream(COPY, frames(), outputs=["copy"], max_frames=3)
    assert [result.timestamp for result in results] == [0, 33_333, 66_667]
    assert ended == [True]
