"""Checked graph -> running graph."""

from graphflow.runtime.graph import Graph, NodeStatistics
from graphflow.runtime.pollers import Poller

__all__ = ["Graph", "NodeStatistics", "Poller"]
