"""Checked graph -> running graph."""

from graphflow.runtime.graph import Graph, NodeStatistics
from graphflow.runtime.pollers import Poller
from graphflow.runtime.tracing import Latencies, TraceFile

__all__ = ["Graph", "Latencies", "NodeStatistics", "Poller", "TraceFile"]
