"""Run a whole graph on packets, in a test, with one call."""

from __future__ import annotations

import contextlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from graphflow.errors import GraphCancelled
from graphflow.loading import load
from graphflow.packet import Packet
from graphflow.testing.calculators import Packets


def run_graph(
    graph: str | Path,
    inputs: Mapping[str, Packets] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    side_packets: Mapping[str, Any] | None = None,
    outputs: Iterable[str] | None = None,
    num_threads: int | None = None,
    bounds: bool = False,
) -> dict[str, list[tuple[int, Any]]]:
    """Runs a graph over packets in simulated time, to its end; returns what came out.

    Packets of several inputs are added in the order of their timestamps, each as soon as there is room for it: time
    passes as fast as the graph works, and the result does not depend on it.

    Args:
        graph: name of a shipped graph, a path, or the text of one.
        inputs: for each graph input its packets as (timestamp, value) pairs in order.
        params: values for the graph's parameters.
        overrides: options of single nodes, by `node/path.option`.
        side_packets: side packets by name.
        outputs: the streams to return, inner ones by their path; default the graph's outputs. What nobody reads is not
            computed.
        num_threads: threads of the graph; default what it says, else one for each core.
        bounds: also return (timestamp, None) where time advanced without a packet.

    Returns:
        for each of the streams the (timestamp, value) pairs in order.

    Raises:
        GraphConfigError: the graph is wrong.
        GraphflowError: it has no such stream or input, or the run failed.

    >>> nodes = "{pass: {calculator: PassThrough, inputs: [a], outputs: [b]}}"
    >>> run_graph(f"{{graph: G, inputs: [a], outputs: [b], nodes: {nodes}}}", {"a": [(0, "x"), (10, "y")]})
    {'b': [(0, 'x'), (10, 'y')]}
    """
    running = load(graph, params=params, overrides=overrides, num_threads=num_threads, prune=True)
    wanted = [entry.name for entry in running.checked.spec.outputs] if outputs is None else list(outputs)
    found: dict[str, list[tuple[int, Any]]] = {name: [] for name in wanted}
    for name, packets in found.items():
        running.observe(name, partial(_keep, packets), bounds=bounds)
    running.start(side_packets)
    try:
        for timestamp, name, value in _in_order(inputs or {}):
            running.add_packet(name, value, timestamp)
        running.close_all_inputs()
    except BaseException:
        running.cancel()
        with contextlib.suppress(GraphCancelled):
            running.wait_until_done()
        raise
    running.wait_until_done()
    return found


def _keep(packets: list[tuple[int, Any]], packet: Packet) -> None:
    packets.append((packet.timestamp, packet.value))


def _in_order(inputs: Mapping[str, Packets]) -> Iterator[tuple[int, str, Any]]:
    columns = [[(timestamp, name, value) for timestamp, value in packets] for name, packets in inputs.items()]
    return heapq.merge(*columns, key=lambda entry: entry[0])
