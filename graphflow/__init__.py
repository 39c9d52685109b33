"""graphflow: MediaPipe-style dataflow graphs in Python."""

from graphflow.calculator import Calculator, OptionError, Stop, calculator
from graphflow.context import Context
from graphflow.errors import CalculatorError, GraphCancelled, GraphConfigError, GraphflowError, ModelError, Problem
from graphflow.loading import load
from graphflow.packet import Packet
from graphflow.ports import Input, Option, OptionGroup, Output, SideInput, SideOutput
from graphflow.resources import RESOURCES, Resources
from graphflow.runtime import Graph, Poller
from graphflow.services import Service
from graphflow.streaming import Result, stream

__all__ = [
    "RESOURCES",
    "Calculator",
    "CalculatorError",
    "Context",
    "Graph",
    "GraphCancelled",
    "GraphConfigError",
    "GraphflowError",
    "Input",
    "ModelError",
    "Option",
    "OptionError",
    "OptionGroup",
    "Output",
    "Packet",
    "Poller",
    "Problem",
    "Resources",
    "Result",
    "Service",
    "SideInput",
    "SideOutput",
    "Stop",
    "calculator",
    "load",
    "stream",
]
