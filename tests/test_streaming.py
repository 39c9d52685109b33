"""`graphflow.stream`."""

import gc
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import graphflow
from graphflow import CalculatorError, GraphConfigError, pipeline, registry

GRAPHS = Path(__file__).parent / "graphs"
BRIGHTNESS = GRAPHS / "brightness.yaml"
LEVELS = range(20, 250, 10)
"""What the frames of the test images are filled with."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of images, each of one grey."""
    folder = tmp_path_factory.mktemp("images")
    for number, level in enumerate(LEVELS):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((16, 24, 3), level, np.uint8))
    return str(folder)


def text_of(inputs: str, body: str = "") -> str:
    return f"graph: Test\ninputs: {inputs}\noutputs: {{}}\nnodes:\n  pass:\n    calculator: PassThrough\n{body}"


@pytest.mark.parametrize("num_threads", [1, 4])
def test_stream_yields_every_frame_in_order(images: str, num_threads: int) -> None:
    results = list(graphflow.stream(BRIGHTNESS, images, fps=25, num_threads=num_threads))
    assert [(result.frame, result.timestamp) for result in results] == [(n, n * 40_000) for n in range(len(LEVELS))]
    assert [result.mean for result in results] == list(LEVELS)
    assert [result.get("bright") for result in results] == [level if level > 100 else None for level in LEVELS]


def test_result_is_a_mapping_of_what_is_there(images: str) -> None:
    dark, bright = list(graphflow.stream(BRIGHTNESS, images, params={"threshold": 25}, max_frames=2))
    assert dict(dark) == {"mean": 20.0}
    assert dict(bright) == {"mean": 30.0, "bright": 30.0}
    assert (len(dark), "bright" in dark, dark.bright) == (1, False, None)
    assert (dark.image == 20).all()
    assert not dark.image.flags.writeable
    with pytest.raises(KeyError):
        dark["bright"]
    with pytest.raises(AttributeError, match=r"no 'overlay'; it has: timestamp, frame, image, mean, bright"):
        dark.overlay  # noqa: B018


def test_only_wanted_outputs_are_computed(images: str) -> None:
    [result] = graphflow.stream(BRIGHTNESS, images, outputs=["overlay"], overrides={"measure.fail_at": 0}, max_frames=1)
    assert list(result) == ["overlay"]
    assert (result.overlay == 235).all()


def test_numbered_outputs_keep_their_number_when_others_are_not_read(images: str) -> None:
    body = "    inputs: [image, image]\n    outputs: [first, second]\n    options: {allow: true}\n"
    graph = text_of("{IMAGE: image}", body).replace("PassThrough", "Gate")
    [result] = graphflow.stream(graph, images, outputs=["second"], max_frames=1)
    assert (result.second == 20).all()


def run_threads() -> list[str]:
    ours = ("graphflow-Brightness", "graphflow-Shining")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


@pytest.fixture
def brightness() -> Any:
    """The calculator of the graph; it counts its calls."""
    return registry.find("./brightness.py:Brightness", GRAPHS)


def test_work_starts_late_stays_close_and_ends_early(
    images: str, brightness: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # when this frame is measured, one result waits for room in front of those that were not asked for
    ahead, reached = pipeline.QUEUE_SIZE + 3, threading.Event()
    monkeypatch.setattr(brightness, "on_frame", lambda frame: reached.set() if frame == ahead else None)
    before = brightness.calls
    results = graphflow.stream(BRIGHTNESS, images)
    assert brightness.calls == before
    assert run_threads() == []
    assert next(results).mean == 20
    assert reached.wait(30)
    results.close()
    assert run_threads() == []
    assert before + ahead < brightness.calls < before + len(LEVELS)


def test_forgotten_iterator_ends_the_run(images: str) -> None:
    results = graphflow.stream(BRIGHTNESS, images)
    next(results)
    del results
    gc.collect()
    assert run_threads() == []


def test_failure_is_raised_while_iterating(images: str) -> None:
    results = graphflow.stream(BRIGHTNESS, images, overrides={"measure.fail_at": 3}, num_threads=1)
    seen = []
    with pytest.raises(CalculatorError, match=r"'measure'.*at timestamp 100000.*too dark") as failure:
        seen.extend(result.mean for result in results)
    assert failure.value.node == "measure"
    assert seen == [20, 30, 40][: len(seen)]
    assert run_threads() == []


@pytest.mark.parametrize(
    ("graph", "source", "outputs", "error", "message"),
    [
        ("holistc", "x.png", None, GraphConfigError, "no graph 'holistc' — did you mean 'holistic'"),
        (BRIGHTNESS, "missing.mp4", None, ValueError, "no file missing.mp4"),
        (BRIGHTNESS, "sample:nobody", None, ValueError, "no sample 'nobody'; there is: astronaut"),
        (BRIGHTNESS, [], ["depth"], GraphConfigError, "no stream 'depth' — its outputs are: mean, bright"),
        (GRAPHS / "shining.yaml", "x.png", None, GraphConfigError, "'Shining' has no input for frames"),
    ],
)
def test_wrong_arguments_are_reported_by_the_call(
    graph: str | Path, source: str, outputs: list[str] | None, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        graphflow.stream(graph, source, outputs=outputs)
