"""`graphflow run --stats`: where the time went, and how late results came."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from graphflow.runtime import NodeStatistics

_LEAST_SHARE = 0.002
_WIDTH_OF_FILES = 160


def print_statistics(nodes: Mapping[str, NodeStatistics], latencies: Sequence[float], seconds: float) -> None:
    """Prints a table of nodes, those that took longest first, and the percentiles of the latencies.

    Args:
        nodes: what `Graph.statistics` says.
        latencies: from source to sink, in seconds.
        seconds: how long the run took.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH_OF_FILES)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("node", overflow="fold")
    for name in ("runs", "total s", "mean ms", "share", "queue peak", "dropped"):
        table.add_column(name, justify="right")
    total = sum(entry.seconds for entry in nodes.values()) or 1.0
    ordered = sorted(nodes.items(), key=lambda item: -item[1].seconds)
    shown = [item for item in ordered if item[1].seconds / total >= _LEAST_SHARE or item[1].dropped]
    for name, entry in shown:
        table.add_row(name, *_cells(entry, total))
    rest = [entry for item, entry in ordered if (item, entry) not in shown]
    if rest:
        queue_peak = max(entry.queue_peak for entry in rest)
        runs, spent = sum(entry.runs for entry in rest), sum(entry.seconds for entry in rest)
        table.add_row(f"{len(rest)} more", *_cells(NodeStatistics(runs, spent, 0, queue_peak, 0), total))
    console.print(table)
    console.print(f"{total:.2f} s in calculators, {seconds:.2f} s by the clock: {total / seconds:.2f} threads busy")
    if len(latencies) > 1:
        cuts = statistics.quantiles(latencies, n=100, method="inclusive")
        marks = ", ".join(f"p{percent} {cuts[percent - 1] * 1000:.1f}" for percent in (50, 90, 95, 99))
        console.print(f"latency from source to sink in ms: {marks}, max {max(latencies) * 1000:.1f}")


def _cells(entry: NodeStatistics, total: float) -> tuple[str, ...]:
    mean = entry.seconds / max(entry.runs, 1) * 1000
    share = f"{entry.seconds / total:.1%}"
    return str(entry.runs), f"{entry.seconds:.3f}", f"{mean:.3f}", share, str(entry.queue_peak), str(entry.dropped)
