"""For tests of calculators and graphs: run them on packets in simulated time, compare, and stand in for a camera."""

from graphflow.testing.calculators import Packets, run_calculator
from graphflow.testing.cameras import FakeCamera
from graphflow.testing.goldens import assert_golden, assert_packets_equal
from graphflow.testing.graphs import run_graph

__all__ = [
    "FakeCamera",
    "Packets",
    "assert_golden",
    "assert_packets_equal",
    "run_calculator",
    "run_graph",
]
