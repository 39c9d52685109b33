"""A node at run time: its state, its invocations, and how time passes through it.

Methods run under the scheduler's lock unless they say otherwise. Source: MediaPipe `calculator_node`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from graphflow import timestamp as ts
from graphflow.calculator import Stop
from graphflow.config.checked import CheckedNode, Runnable
from graphflow.context import Context
from graphflow.errors import GraphConfigError, Problem
from graphflow.packet import Packet
from graphflow.runtime.policies import POLICIES, InputPolicy, Readiness
from graphflow.runtime.step import MemberError, Step
from graphflow.runtime.streams import InputQueue, OutputStream, StreamError
from graphflow.runtime.tracing import Call, Listener

if TYPE_CHECKING:
    from graphflow.runtime.opening import Opening
    from graphflow.runtime.pool import Pool
    from graphflow.runtime.scheduler import Scheduler


_MAX_DEPTH = 60
_LIGHT_NS = 50_000
_AHEAD = 2
_SHORT_FIRST = -(1 << 50)
"""Urgency of short calls, before that of long ones."""
_LONG_NS = 300_000
"""From where on a call counts as long."""


class Status(Enum):
    """How far a node has come in a run."""

    PREPARED = auto()
    OPENED = auto()
    CLOSED = auto()


class Action(Enum):
    """What a task does with its node."""

    OPEN = auto()
    PROCESS = auto()
    CLOSE = auto()


InputSet = tuple[int, Sequence[Packet]]
"""The packets of one timestamp, one for each input; empty ones where nothing arrived."""


class Task:
    """One scheduled call of a node: open, process over one or more input sets, or close."""

    __slots__ = ("action", "context", "done", "error", "node", "sets", "started_ns", "stopped")

    def __init__(self, node: Node, action: Action, context: Context, sets: list[InputSet]) -> None:
        self.node = node
        self.action = action
        self.context = context
        self.sets = sets
        self.done = False
        self.error: BaseException | None = None
        self.stopped = False
        self.started_ns = 0

    def run(self) -> None:
        """Calls the calculator; runs outside the lock."""
        node, context = self.node, self.context
        started = self.started_ns = time.perf_counter_ns()
        try:
            calculator = node.calculator
            if calculator is None:
                calculator = node.calculator = node.checked.new_runnable()
            if self.action is Action.PROCESS:
                timestamp, packets = self.sets[0]
                context.begin(timestamp, packets)
                calculator.process(context)
            elif self.action is Action.OPEN:
                context.begin(ts.UNSTARTED, ())
                calculator.open(context)
            else:
                context.begin(ts.DONE, ())
                calculator.close(context)
        except Stop as stop:
            self.stopped = self.action is Action.PROCESS
            self.error = None if self.stopped else stop
        except BaseException as error:
            self.error = error
        ended = time.perf_counter_ns()
        node.busy_ns += ended - started
        if node.listeners:
            self._tell(started, ended)

    def _tell(self, started: int, ended: int) -> None:
        """Tells the listeners of the call that is over."""
        node, context = self.node, self.context
        doing, thread = self.action.name.lower(), threading.get_ident()
        timestamp = context.timestamp
        if node.is_source and self.action is Action.PROCESS:
            timestamp = min((packets[0].timestamp for packets in context.emitted if packets), default=ts.UNSET)
        waiting = max((len(queue.packets) for queue in node.inputs), default=0)
        calculator = node.calculator
        emitted = tuple(bool(packets) for packets in context.emitted)
        dropped = calculator.dropped if calculator is not None else 0
        spans: Sequence[tuple[int, int, int]] = ()
        if isinstance(calculator, Step):
            spans = calculator.spans or ()
            calculator.spans = []
        call = Call(node.index, doing, timestamp, started, ended, thread, emitted, waiting, dropped, node.key, spans)
        for listener in node.listeners:
            listener.called(call)


class Node:
    """One node of a running graph.

    `light` says that calls are so short, as far as is known, that handing them to another thread does not pay; of calls
    that wait for a thread, those with the smallest `urgency` come first. `queues_behind` are all queues that packets of
    a source come through.
    """

    def __init__(
        self,
        checked: CheckedNode,
        index: int,
        scheduler: Scheduler,
        default_queue_size: int,
        side_packets: Mapping[str, Any],
        services: Mapping[str, Any],
        listeners: Sequence[Listener],
        key: Any = None,
    ) -> None:
        self.checked = checked
        self.name = checked.spec.name
        self.index = index
        self.scheduler = scheduler
        self.calculator: Runnable | None = None
        self.status = Status.PREPARED
        self.needs_close = False
        self.active = False
        self._evaluating = self._evaluate_again = False
        self.runs = 0
        self.busy_ns = 0
        self.light = False
        self.key = key
        self.listeners = listeners
        self._services = services
        binding = checked.binding
        self.inputs = [InputQueue(entry.name, self, entry.back_edge) for entry in binding.inputs]
        self.outputs = [OutputStream(entry.name) for entry in binding.outputs]
        self.is_source = not self.inputs and bool(self.outputs)
        self.max_in_flight = checked.spec.max_in_flight
        self.urgency = 0
        self.pool: Pool
        self.opening: Opening
        self.queue_size = default_queue_size if checked.spec.queue_size is None else checked.spec.queue_size
        self.policy = self._new_policy()
        self.throttling: set[InputQueue] = set()
        self.ancestor_sources: list[Node] = []
        self.queues_behind: list[InputQueue] = []
        self.side_inputs = [side_packets.get(entry.name) for entry in binding.side_inputs]
        self.context = self._new_context()
        self.prepare_streams()

    def _new_policy(self) -> InputPolicy:
        checked = self.checked
        spec = checked.input_policy
        try:
            policy = POLICIES[spec.name](
                self.inputs,
                [(entry.tag, entry.index) for entry in checked.binding.inputs],
                checked.new_runnable().process_timestamp_bounds,  # options may decide it
                spec.options,
            )
            if policy.batch_size > 1 and self.max_in_flight > 1:
                raise ValueError("batch_size over 1 does not go with max_in_flight over 1")
        except ValueError as error:
            location = spec.location if spec.location.line else checked.spec.location
            message = f"node '{self.name}': input policy '{spec.name}': {error}"
            raise GraphConfigError([Problem(location, message)]) from error
        return policy

    def _new_context(self) -> Context:
        return Context(self.checked.binding, self.side_inputs, self.name, self._services)

    def prepare_streams(self) -> None:
        """Empties queues and outputs, for a new run or a new stream of packets."""
        self.throttling.clear()
        self.in_flight: deque[Task] = deque()
        self._batch: list[InputSet] = []
        self._close_scheduled = False
        self.context.closed.clear()
        for queue in self.inputs:
            queue.prepare()
            queue.max_size = self.queue_size
        for output in self.outputs:
            output.prepare()
        self.policy.prepare()

    def work(self) -> Iterator[tuple[str, int, int, int]]:
        """The name, calls, nanoseconds and dropped packets of the node, or of each member of a step."""
        if isinstance(self.calculator, Step):
            for member in self.calculator.members:
                dropped = member.calculator.dropped if member.calculator else 0
                yield member.checked.spec.name, member.runs, member.busy_ns, dropped
        else:
            yield self.name, self.runs, self.busy_ns, self.calculator.dropped if self.calculator else 0

    def urge(self, rank: int, cost: int) -> None:
        """Sets how urgent calls are, from the node's rank and what a call costs, in nanoseconds."""
        self.urgency = -rank if cost >= _LONG_NS else _SHORT_FIRST - self.index

    def new_open_task(self) -> Task:
        return Task(self, Action.OPEN, self.context, [])

    # -- becoming ready ------------------------------------------------------------------------------------------

    def input_changed(self) -> None:
        """An input queue got its first packet or a later bound: see whether the node can run."""
        if self.status is Status.OPENED and len(self.in_flight) < self.max_in_flight:
            self.evaluate()

    def evaluate(self) -> None:
        """Schedules what is ready, and passes on how far time has come where nothing is.

        Nodes that hear of the latter evaluate themselves in turn. Python's stack is finite, so that deep down a chain
        of them the rest is put off until the stack has unwound.
        """
        scheduler = self.scheduler
        if self.status is not Status.OPENED:
            return
        if self._evaluating:
            self._evaluate_again = True
            return
        if scheduler.depth >= _MAX_DEPTH:
            scheduler.postponed.append(self)
            return
        self._evaluating = True
        scheduler.depth += 1
        try:
            while True:
                self._evaluate_again = False
                if self.is_source:
                    self._schedule_source()
                else:
                    self._schedule_ready()
                if not self._evaluate_again:
                    break
        except StreamError as error:  # a policy met a packet it cannot work with
            scheduler.fail_stream(self, None, [], error)
        finally:
            self._evaluating = False
            scheduler.depth -= 1
        while scheduler.postponed and not scheduler.depth:
            scheduler.postponed.popleft().evaluate()

    def _schedule_source(self) -> None:
        if self.active and not self.in_flight and not self.throttling:
            self._schedule(Action.PROCESS, [(ts.UNSTARTED, ())])

    def is_ahead(self) -> bool:
        """Whether what a source has emitted keeps the nodes behind it busy."""
        return any(len(queue.packets) >= _AHEAD for queue in self.queues_behind)

    def _schedule_ready(self) -> None:
        while len(self.in_flight) < self.max_in_flight:
            readiness, timestamp = self.policy.readiness()
            if readiness is Readiness.NOT_READY:
                # a batch in progress holds back time at its first timestamp
                self._promise(self._batch[0][0] if self._batch else timestamp)
                return
            if readiness is Readiness.CLOSE:
                if self.in_flight or self._close_scheduled:
                    return
                if self._batch:
                    batch, self._batch = self._batch, []
                    self._schedule(Action.PROCESS, batch)
                    return
                self._close_scheduled = True
                self._schedule(Action.CLOSE, [])
                return
            if self.policy.batch_size == 1:
                self._schedule(Action.PROCESS, [(timestamp, self.policy.take(timestamp))])
                continue
            self._batch.append((timestamp, self.policy.take(timestamp)))
            if len(self._batch) == self.policy.batch_size:
                batch, self._batch = self._batch, []
                self._schedule(Action.PROCESS, batch)

    def _schedule(self, action: Action, sets: list[InputSet]) -> None:
        context = self.context
        if self.max_in_flight > 1 and action is Action.PROCESS:
            context = self._new_context()
            context.closed = self.context.closed
        task = Task(self, action, context, sets)
        self.in_flight.append(task)
        self.scheduler.push(task)

    def _promise(self, input_bound: int) -> None:
        """Nothing is ready before `input_bound`: outputs with an offset promise as much."""
        if self.in_flight or not ts.MIN <= input_bound <= ts.MAX:
            return
        for output in self.outputs:
            if output.offset is not None and not output.closed and input_bound + output.offset > output.bound:
                self._propagate(output, [], input_bound + output.offset)

    # -- after a call --------------------------------------------------------------------------------------------

    def finish(self, task: Task) -> bool:
        """Takes in what a task did: outputs go out in the order of input timestamps.

        Returns:
            whether the task has another input set of its batch to run before it is over.
        """
        self.runs += 1
        self.light = self.runs > 1 and self.busy_ns < self.runs * _LIGHT_NS
        if task.error is not None:
            self.scheduler.fail(self, task)
            self._pass_on_what_came_before(task)
            self._drop(task)
            if task.action is Action.PROCESS:
                self.evaluate()  # nothing new starts, but what time is settled is still passed on
            return False
        if task.action is Action.PROCESS:
            task.done = True
            return task is self.in_flight[0] and self._release_in_order()
        if task.action is Action.OPEN:
            self._opened(task)
        else:
            self._release(task)
            self._closed()
        return False

    def _release_in_order(self) -> bool:
        while self.in_flight and self.in_flight[0].done:
            task = self.in_flight[0]
            self._release(task)
            if task.stopped:
                self._stop(task)
                return False
            if len(task.sets) > 1:
                task.sets.pop(0)
                task.done = False
                return True
            self.in_flight.popleft()
        if self.is_source or self._batch or not self.policy.nothing_new():
            self.evaluate()
        return False

    def _stop(self, task: Task) -> None:
        """`process` raised Stop: a source is exhausted; from any other node the whole graph winds down."""
        self.in_flight.remove(task)
        if self.is_source:
            self._close_scheduled = True
            self._schedule(Action.CLOSE, [])
        else:
            self.scheduler.stop_sources()
            self.evaluate()

    def _opened(self, task: Task) -> None:
        self.needs_close = True
        calculator = self.calculator
        for position, output in enumerate(self.outputs):
            output.offset = calculator.timestamp_offset if calculator and self.inputs else None
            output.header = task.context.headers_set.get(position)
        self._release(task)
        self.status = Status.OPENED
        self.scheduler.opened(self)
        self.opening.opened(self)
        if self.inputs:
            self.evaluate()

    def _closed(self) -> None:
        self.needs_close = False
        self.in_flight.clear()
        for queue in self.inputs:
            queue.close()
        for output in self.outputs:
            self._close_output(output)
        self.status = Status.CLOSED

    def _drop(self, task: Task) -> None:
        if task in self.in_flight:
            self.in_flight.remove(task)
        if task.action is Action.CLOSE:
            self.needs_close = False
            self.status = Status.CLOSED

    def _release(self, task: Task) -> None:
        """Propagates what one call emitted, promised and closed."""
        context = task.context
        timestamp, bounds, closing = context.timestamp, context.bounds, context.closed
        if context.side_emitted:
            for slot, value in context.side_emitted.items():
                self.opening.side_packet_ready(self.checked.binding.side_outputs[slot].name, value)
        for position, output in enumerate(self.outputs):
            if output.closed:
                continue
            emitted = context.emitted[position]
            if task.action is Action.CLOSE:
                self._propagate(output, emitted, ts.UNSET)
            elif closing and position in closing:
                self._propagate(output, emitted, ts.UNSET)
                self._close_output(output)
            else:
                promised = bounds.get(position) if bounds else None
                try:
                    output.propagate(emitted, output.bound_after(timestamp, emitted, promised))
                except StreamError as error:
                    self.scheduler.fail_stream(self, output.name, emitted, error)

    def _pass_on_what_came_before(self, task: Task) -> None:
        """The members of a step that ran before the one that failed have done their work."""
        if isinstance(task.error, MemberError):
            for output, emitted in zip(self.outputs, task.context.emitted, strict=True):
                if emitted and not output.closed:
                    self._propagate(output, emitted, ts.UNSET)

    def _propagate(self, output: OutputStream, packets: list[Packet], bound: int) -> None:
        try:
            output.propagate(packets, bound)
        except StreamError as error:
            self.scheduler.fail_stream(self, output.name, packets, error)

    def _close_output(self, output: OutputStream) -> None:
        try:
            output.close()
        except StreamError as error:
            self.scheduler.fail_stream(self, output.name, [], error)

    def reset(self) -> None:
        """Returns the calculator to the state after `open`, a closed one by opening a new one; called without the lock.

        Queues and outputs were emptied before.
        """
        if self.status is Status.PREPARED:
            return
        context = self.context
        context.begin(ts.UNSTARTED, ())
        if self.status is Status.OPENED and self.calculator is not None:
            self.calculator.reset(context)
            return
        self.calculator = self.checked.new_runnable()
        self.calculator.open(context)
        self.needs_close = True
        self.status = Status.OPENED

    # -- the end of a run ----------------------------------------------------------------------------------------

    def clean_up(self, whole: int) -> BaseException | None:
        """Closes a calculator the run left open; called without the lock once no thread works on the graph.

        A node without outputs, such as a writer, first takes in what had reached it when another failed: input sets
        before the timestamp `whole`.
        """
        if not self.needs_close or self.calculator is None:
            return None
        self.needs_close = False
        problem: BaseException | None = None
        try:
            if whole != ts.UNSET and not self.outputs and self.status is Status.OPENED:
                self._work_off(self.calculator, whole)
        except Exception as error:
            problem = error
        self.status = Status.CLOSED
        self.context.begin(ts.DONE, ())
        try:
            self.calculator.close(self.context)
        except Exception as error:
            problem = problem or error
        return problem

    def _work_off(self, calculator: Runnable, end: int) -> None:
        """Runs the calls that waited for a thread, and those whose inputs are complete, before the timestamp `end`."""
        calls = [task for task in self.in_flight if task.action is Action.PROCESS and not task.done]
        waiting = deque([*(entry for task in calls for entry in task.sets), *self._batch])
        while True:
            if not waiting:
                with self.scheduler.lock:
                    readiness, timestamp = self.policy.readiness()
                    if readiness is not Readiness.PROCESS:
                        return
                    waiting.append((timestamp, self.policy.take(timestamp)))
            timestamp, packets = waiting.popleft()
            if timestamp >= end:
                return
            self.context.begin(timestamp, packets)
            calculator.process(self.context)
