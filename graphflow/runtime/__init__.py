"""Checked graph -> running graph."""

from graphflow.runtime.graph import Graph, NodeStatistics

__all__ = ["Graph", "NodeStatistics"]
