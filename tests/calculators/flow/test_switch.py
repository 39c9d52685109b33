"""SwitchContainer at work: which channel's packets come out, and when."""

from typing import Any

import pytest

import graphflow
from graphflow import timestamp as ts

SWITCH = """\
inputs: {VALUE: value, SELECT: which}
side_inputs: {FIRST: first}
outputs: {FLAG: flag}
nodes:
  choice:
    calculator: SwitchContainer
    inputs: {FLOAT: value, SELECT: which}
    SIDE
    outputs: {FLAG: flag}
    options: {OPTIONS}
    nodes:
      low: {calculator: Thresholding, options: {threshold: 0.2}}
      middle: {calculator: Thresholding, options: {threshold: 0.5}}
      high: {calculator: Thresholding, options: {threshold: 0.8}}
"""
V, S = "value", "which"


def play(script: list[tuple[str, int, Any]], options: str = "", **side_packets: Any) -> list[tuple[int, Any]]:
    """The flags, after each operation was worked through; None where time passed without one."""
    text = SWITCH.replace("OPTIONS", options)
    text = text.replace("SIDE", "side_inputs: {SELECT: first}" if side_packets else "max_in_flight: 1")
    text = text if side_packets else text.replace("    max_in_flight: 1\n", "")
    graph = graphflow.load(text, num_threads=1)
    seen: list[tuple[int, Any]] = []
    graph.observe("flag", lambda packet: seen.append((packet.timestamp, packet.value)), bounds=True)
    graph.start({"first": 0, **side_packets})
    for stream, timestamp, value in script:
        graph.add_packet(stream, value, timestamp)
        graph.wait_until_idle()
    graph.close_all_inputs()
    graph.wait_until_done()
    return [entry for entry in seen if entry[0] != ts.MAX]


@pytest.mark.parametrize(
    ("script", "options", "expected"),
    [
        # the first channel counts until SELECT speaks
        ([(V, 1, 0.3), (V, 2, 0.1)], "", [(1, True), (2, False)]),
        ([(V, 1, 0.3), (V, 2, 0.6)], "select: 1", [(1, False), (2, True)]),
        ([(V, 1, 0.3)], "enable: true", [(1, False)]),
        # a choice counts for the value of its timestamp, which waits for it, and sticks
        ([(V, 1, 0.3), (S, 1, 1), (V, 2, 0.3), (S, 2, 0), (V, 3, 0.3)], "", [(1, False), (2, True), (3, True)]),
        ([(S, 1, 2), (V, 1, 0.6), (V, 2, 0.6), (V, 3, 0.9)], "", [(1, False), (2, False), (3, True)]),
        # or for the next value there is
        ([(V, 1, 0.3), (S, 2, 1), (V, 4, 0.3), (V, 5, 0.6)], "", [(1, True), (4, False), (5, True)]),
        # a channel that does not exist says nothing
        ([(V, 1, 0.3), (S, 1, 7), (V, 2, 0.3), (S, 2, 0), (V, 3, 0.3)], "", [(2, True), (3, True)]),
    ],
)
def test_the_chosen_channel_answers(
    script: list[tuple[str, int, Any]], options: str, expected: list[tuple[int, Any]]
) -> None:
    assert [entry for entry in play(script, options) if entry[1] is not None] == expected


def test_a_side_packet_is_stronger_than_the_option() -> None:
    assert play([(V, 1, 0.3)], "select: 0", first=1) == [(1, False)]


SIDE = """\
side_inputs: {WHICH: which, BOTH: both}
side_outputs: {PACKET: chosen}
nodes:
  choice:
    calculator: SwitchContainer
    side_inputs: {SELECT: which}
    side_outputs: {PACKET: chosen}
    nodes:
      three: {calculator: ConstantSidePacket, options: {packet: [{int_value: 3}]}}
      four: {calculator: ConstantSidePacket, options: {packet: [{int_value: 4}]}}
"""


@pytest.mark.parametrize(("which", "expected"), [(0, 3), (1, 4)])
def test_side_packets_of_the_chosen_node_come_out(which: int, expected: int) -> None:
    graph = graphflow.load(SIDE)
    graph.start({"which": which})
    graph.close_all_inputs()
    graph.wait_until_done()
    assert graph.side_packet("chosen") == expected
