"""Stream headers pass through the calculators that pass streams on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from graphflow.calculators.flow.packet_resampler import VideoHeader

import graphflow
from graphflow import registry

READER = Path(__file__).with_name("header_reader.py")
VIDEO = VideoHeader(frame_rate=30.0)

ONE = "{calculator: NAME, inputs: [a], outputs: [b], options: OPTIONS}"
LOOP = "{stream: c, back_edge: true}"
LIMITER = f"{{calculator: FlowLimiter, inputs: {{'': [a], FINISHED: {LOOP}}}, outputs: [b], options: OPTIONS}}"
DEFAULT = "{calculator: ValueOrDefault, inputs: {IN: a, TICK: a}, side_inputs: [d], outputs: {OUT: b, FLAG: f}}"
CLONER = "{calculator: PacketCloner, inputs: {'': [a], TICK: a}, outputs: [b], options: OPTIONS}"


@pytest.mark.parametrize(
    ("node", "name", "options", "header", "expected"),
    [
        (ONE, "PassThrough", "{}", "said", "said"),
        (ONE, "Gate", "{allow: true}", "said", "said"),
        (ONE, "PacketThinner", "{thinner_type: ASYNC, period: 1}", "said", "said"),
        (ONE, "PacketResampler", "{frame_rate: 10.0}", "said", None),
        (ONE, "PacketResampler", "{frame_rate: 10.0, output_header: PASS_HEADER}", VIDEO, VIDEO),
        (
            ONE,
            "PacketResampler",
            "{frame_rate: 10.0, output_header: UPDATE_VIDEO_HEADER}",
            VIDEO,
            VideoHeader(frame_rate=10.0),
        ),
        (LIMITER, "FlowLimiter", "{}", "said", "said"),
        (CLONER, "PacketCloner", "{}", "said", "said"),
        (DEFAULT, "ValueOrDefault", "{}", "said", "said"),
    ],
)
def test_the_header_goes_on(node: str, name: str, options: str, header: Any, expected: Any) -> None:
    text = f"""
graph: Headers
inputs: [a]
outputs: [c]
side_inputs: [d]
nodes:
  node: {node.replace("NAME", name).replace("OPTIONS", options)}
  read: {{calculator: "{READER}:KeepHeader", inputs: [b], outputs: [c]}}
"""
    reader: Any = registry.find(f"{READER}:KeepHeader")
    reader.seen.clear()
    graph = graphflow.load(text)
    graph.start({"d": 1}, headers={"a": header})
    graph.close_all_inputs()
    graph.wait_until_done()
    assert reader.seen == [expected]
