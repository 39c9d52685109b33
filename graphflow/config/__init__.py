"""From a graph's text to a checked graph: readers, subgraph expansion, validation."""

from graphflow.config.library import graph_names, module_names
from graphflow.config.loading import Findings, check, examine, expand, load, read

__all__ = ["Findings", "check", "examine", "expand", "graph_names", "load", "module_names", "read"]
