"""The JSON Schema of graphs, for completion and checks in editors."""

from graphflow.schema.graphs import graph_schema

__all__ = ["graph_schema"]
