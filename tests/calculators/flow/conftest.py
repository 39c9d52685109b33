"""Runs small graphs with the real scheduler, one step after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

import graphflow

Seen = dict[str, list[tuple[int, Any]]]
Step = tuple[str, int, Any] | tuple[str, int] | tuple[str]
Run = Callable[..., Seen]


def _run(
    nodes: str,
    script: Sequence[Step],
    outputs: Sequence[str] = ("out",),
    side: Mapping[str, Any] | None = None,
    bounds: bool = False,
) -> Seen:
    """What the output streams of a graph carry.

    Args:
        nodes: the YAML of the nodes.
        script: `(stream, timestamp, value)` adds a packet, `(stream, timestamp)` raises the bound to the timestamp and
            `(stream,)` closes the input. After each step the graph becomes idle; in the end all inputs are closed.
        outputs: the streams to observe.
        side: side packets.
        bounds: whether time that passes without a packet shows, as `(timestamp, None)`.
    """
    inputs = sorted({step[0] for step in script})
    text = f"graph: Test\ninputs: [{', '.join(inputs)}]\noutputs: [{', '.join(outputs)}]\n"
    if side:
        text += f"side_inputs: [{', '.join(side)}]\n"
    graph = graphflow.load(f"{text}nodes:\n{nodes}")
    seen: Seen = {name: [] for name in outputs}
    for name in outputs:
        graph.observe(name, lambda packet, to=seen[name]: to.append((packet.timestamp, packet.value)), bounds=bounds)
    graph.start(side)
    try:
        graph.wait_until_idle()
        for step in script:
            if len(step) == 3:
                graph.add_packet(step[0], step[2], step[1])
            elif len(step) == 2:
                graph.set_bound(step[0], step[1])
            else:
                graph.close_input(step[0])
            graph.wait_until_idle()
    finally:
        graph.close_all_sources()
        graph.wait_until_done()
    return seen


@pytest.fixture
def run() -> Run:
    return _run
