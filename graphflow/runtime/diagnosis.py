"""Who waits for what: the state of a run in words, for whoever wonders why nothing moves."""

from __future__ import annotations

from collections.abc import Iterator

from graphflow import timestamp as ts
from graphflow.runtime.fusion import FusedNode
from graphflow.runtime.node import Action, Node, Status
from graphflow.runtime.scheduler import Scheduler
from graphflow.runtime.streams import InputQueue


def diagnose(name: str, scheduler: Scheduler) -> str:
    """The state of every node that is not done, with its inputs and what it waits for.

    Takes the scheduler's lock, and works while calculators run or hang.
    """
    with scheduler.lock:
        lines = [f"graph '{name}': {scheduler.describe()}"]
        for stream in scheduler.inputs.values():
            held = scheduler.input_throttled(stream.name)
            bound = "closed" if stream.closed else f"open, settled before {ts.describe(stream.bound)}"
            lines.append(f"  input '{stream.name}': {bound}" + (", held back by a full queue" if held else ""))
        for node in scheduler.all_nodes():
            if node.status is not Status.CLOSED:
                lines += _of_node(node, scheduler)
        closed = [node.name for node in scheduler.nodes if node.status is Status.CLOSED]
        if closed:
            lines.append(f"  closed: {', '.join(closed)}")
        lines += [f"  error: {error}" for error in scheduler.errors]
    return "\n".join(lines)


def _of_node(node: Node, scheduler: Scheduler) -> Iterator[str]:
    key = "" if node.key is None else f" of key {node.key}"
    kind = "step" if isinstance(node.checked, FusedNode) else "node"
    yield f"  {kind} '{node.name}'{key} ({node.checked.spec.calculator}): {_waits_for(node, scheduler)}"
    for queue in node.inputs:
        yield f"    input '{queue.name}': {_of_queue(queue)}"


def _waits_for(node: Node, scheduler: Scheduler) -> str:
    if node.status is Status.PREPARED:
        missing = scheduler.waits_to_open(node)
        return f"not open, waits for {', '.join(missing)}" if missing else "not open, is being opened"
    if node.in_flight:
        calls = [
            f"{task.action.name.lower()}"
            + (f" at {ts.describe(task.sets[0][0])}" if task.action is Action.PROCESS and task.sets else "")
            + (" (done, waits for those before it)" if task.done else "")
            for task in node.in_flight
        ]
        return f"{len(calls)} in flight or waiting for a thread: {', '.join(calls)}"
    if node.is_source:
        full = ", ".join(sorted(f"'{queue.name}'" for queue in node.throttling))
        if full:
            return f"a source, held back by the full queue of {full}"
        return "a source" if node.active else "a source whose layer has not started"
    late = [f"'{queue.name}'" for queue in node.inputs if not queue.packets and queue.bound < ts.ONE_OVER_POSTSTREAM]
    return f"waits for {', '.join(late)} ({node.checked.input_policy.name} policy)" if late else "ready"


def _of_queue(queue: InputQueue) -> str:
    bound = "ended" if queue.bound >= ts.ONE_OVER_POSTSTREAM else f"settled before {ts.describe(queue.bound)}"
    back = ", back edge" if queue.back_edge else ""
    full = ", full" if queue.full else ""
    if not queue.packets:
        return f"empty, {bound}{back}"
    first, last = (ts.describe(queue.packets[end].timestamp) for end in (0, -1))
    span = f"at {first}" if len(queue.packets) == 1 else f"from {first} to {last}"
    return f"{len(queue.packets)} waiting {span}{full}, {bound}{back}"
