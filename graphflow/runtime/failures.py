"""What a run says when it fails: which node, where it is written, at which timestamp, and why."""

from __future__ import annotations

import os
import traceback

from graphflow import timestamp as ts
from graphflow.config.checked import CheckedGraph
from graphflow.errors import CalculatorError
from graphflow.runtime.node import Node
from graphflow.runtime.step import MemberError
from graphflow.runtime.streams import InputQueue, StreamError

_FRAMEWORK = (os.path.dirname(ts.__file__), "graphflow")  # the second where the module is compiled


def describe_failure(
    graph: CheckedGraph, node: Node, timestamp: int | None, error: BaseException, doing: str, code: str = ""
) -> CalculatorError:
    """The error of a run in which a node failed.

    Args:
        graph: what runs.
        node: the node, or the step of which a member failed.
        timestamp: of the inputs, where there is one.
        error: what was raised.
        doing: what the node did: a method's name, or where the order of a stream was broken.
        code: MediaPipe's status code; default what the error says.
    """
    spec = node.checked.spec
    if isinstance(error, MemberError):
        spec, error = error.member.spec, error.raised
    when = f" for key {node.key}" if node.key is not None else ""
    when += f" at timestamp {ts.describe(timestamp)}" if timestamp is not None else ""
    what = str(error) if isinstance(error, StreamError) else f"{type(error).__name__}: {error}"
    if isinstance(error, ValueError) and "read-only" in str(error):
        what += "; packets are shared and must not be changed: copy the array first"
    place = ""
    # where the calculator did it, not where the framework noticed
    frames = [f for f in traceback.extract_tb(error.__traceback__) if os.path.dirname(f.filename) not in _FRAMEWORK]
    if frames and not isinstance(error, StreamError):
        place = f" ({frames[-1].filename}:{frames[-1].lineno})"
    described = CalculatorError(
        f"{spec.location}: node '{spec.name}' ({spec.calculator}) of graph '{graph.spec.name}' failed in "
        f"{doing}{when}: {what}{place}",
        graph=graph.spec.name,
        node=spec.name,
        location=spec.location,
        timestamp=timestamp,
        code=code or getattr(error, "code", "UNKNOWN"),
    )
    described.__cause__ = error
    return described


def stuck(graph: CheckedGraph, queue: InputQueue, reader: str) -> CalculatorError:
    """The error of a run that a full queue in front of `reader` holds up, where the graph asks to be told."""
    return CalculatorError(
        f"graph '{graph.spec.name}' is stuck: the queue of stream '{queue.name}' in front of '{reader}' is full "
        f"({len(queue.packets)} packets) and nothing can run; raise max_queue_size or leave out report_deadlock",
        graph=graph.spec.name,
        code="UNAVAILABLE",
    )


def too_many_threads(graph: CheckedGraph, threads: int, error: RuntimeError) -> CalculatorError:
    """The error of a run whose threads the machine does not give."""
    described = CalculatorError(
        f"graph '{graph.spec.name}': {threads} threads are more than this machine gives ({error}): lower num_threads",
        graph=graph.spec.name,
        code="RESOURCE_EXHAUSTED",
    )
    described.__cause__ = error
    return described
