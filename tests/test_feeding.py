"""Which source feeds which input of a graph."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphflow
from graphflow import GraphConfigError, OptionError, config, feeding

GRAPHS = Path(__file__).parent / "graphs"
TWO = """
graph: Two
inputs: {LEFT: left, RIGHT: right}
outputs: [pair]
nodes: {pair: {calculator: MakePair, inputs: [left, right], outputs: [pair]}}
"""


def clip(*times: int) -> list[tuple[int, Any]]:
    """Frames whose brightness is their time in hundredths of a second."""
    return [(time, np.full((2, 2, 3), time // 10_000, np.uint8)) for time in times]


def text_of(inputs: str, body: str = "") -> str:
    return f"graph: Test\ninputs: {inputs}\noutputs: {{}}\nnodes:\n  pass:\n    calculator: PassThrough\n{body}"


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        ("{IMAGE: image}", "image"),
        ("{VIDEO: frames}", "frames"),
        ("[frames]", "frames"),
    ],
)
def test_frames_go_to_the_image_or_the_only_input(inputs: str, found: str) -> None:
    checked = config.load(text_of(inputs, f"    inputs: [{found}]\n    outputs: [copy]\n"))
    assert feeding.frame_input(checked) == found


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("{A: a, B: b}", r"several inputs \(A:0:a, B:0:b\) — tag the one for the frames IMAGE"),
        ("{IMAGE: a, B: b}", "nothing feeds the inputs B:0:b"),
    ],
)
def test_other_inputs_cannot_be_fed(inputs: str, message: str) -> None:
    checked = config.load(text_of(inputs, "    inputs: [a, b]\n    outputs: [c, d]\n"))
    with pytest.raises(GraphConfigError, match=message):
        feeding.frame_input(checked)


def test_graph_with_its_own_source_takes_no_frames() -> None:
    assert feeding.frame_input(config.load(GRAPHS / "shining.yaml")) is None


def test_two_sources_are_synchronised_at_the_pace_of_the_first() -> None:
    sources = {"left": clip(0, 40_000, 80_000, 120_000), "RIGHT": clip(10_000, 30_000, 90_000)}
    results = list(graphflow.stream(TWO, sources, outputs=["pair"]))
    found = [(result.timestamp, [int(image[0, 0, 0]) for image in result.pair]) for result in results]
    assert found == [(0, [0, 1]), (40_000, [4, 3]), (80_000, [8, 9]), (120_000, [12, 9])]


@pytest.mark.parametrize(
    ("source", "options", "error", "message"),
    [
        ("x.mp4", {}, GraphConfigError, r"several inputs \(LEFT:0:left, RIGHT:0:right\)"),
        ({"left": [], "middle": []}, {}, GraphConfigError, "no input 'middle' — its inputs are: LEFT:0:left, RIGHT"),
        ({"left": []}, {}, GraphConfigError, "nothing feeds the inputs RIGHT:0:right — name a source for each input"),
        ({"left": [], "right": "x.mp4"}, {}, ValueError, "no file x.mp4"),
        ({"left": [], "right": []}, {"source.fps": 3}, GraphConfigError, "there is: source_left, source_right"),
    ],
)
def test_what_does_not_fit(source: Any, options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        feeding.feed(config.load(TWO), source, options=options)


def test_options_of_sources() -> None:
    sources = {"left": clip(0, 10, 20), "right": clip(0, 10, 20)}
    options = {"source_left.max_frames": 2, "source_right.fps": 50}
    fed = feeding.feed(config.load(TWO), sources, fps=25, options=options)
    left, right, _ = (dict(attachment.options) for attachment in fed.attachments)
    assert (left, right) == ({"fps": 25, "max_frames": 2}, {"fps": 50})
    with pytest.raises(OptionError, match="IteratorSource has no option 'speed'"):
        list(graphflow.stream(TWO, sources, overrides={"source_left.speed": 2}))
