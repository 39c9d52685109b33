"""For tests of calculators and graphs: packets in simulated time, comparisons, stand-ins for cameras and networks."""

from graphflow.evaluation.pose_errors import PoseErrors, WrongPose
from graphflow.testing.calculators import Packets, run_calculator
from graphflow.testing.cameras import FakeCamera
from graphflow.testing.goldens import assert_golden, assert_packets_equal
from graphflow.testing.graphs import run_graph

__all__ = [
    "FakeCamera",
    "Packets",
    "PoseErrors",
    "WrongPose",
    "assert_golden",
    "assert_packets_equal",
    "run_calculator",
    "run_graph",
]
