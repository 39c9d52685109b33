"""The scheduler: which node runs next, on which thread; throttling, errors, idleness and the end of a run.

One lock guards queues, bounds, readiness and the list of waiting tasks; calculators and observers run outside it.
Source: MediaPipe `scheduler`, `scheduler_queue`, `calculator_graph`.
"""

from __future__ import annotations

import heapq
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from graphflow import timestamp as ts
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.errors import CalculatorError, GraphCancelled
from graphflow.packet import Packet
from graphflow.runtime.failures import describe_failure, stuck, too_many_threads
from graphflow.runtime.instances import Instances, SpreaderNode, gatherer_of, service_of
from graphflow.runtime.node import Action, Node, Status, Task
from graphflow.runtime.observers import Observer
from graphflow.runtime.opening import Opening
from graphflow.runtime.pollers import Poller
from graphflow.runtime.pool import Pool
from graphflow.runtime.priorities import ranks
from graphflow.runtime.running_calls import RunningCall, Slot, running_call
from graphflow.runtime.streams import OutputStream, StreamError
from graphflow.runtime.throttling import Throttling
from graphflow.runtime.tracing import Listener

_LOG = logging.getLogger("graphflow")

_FIRST_CALL = 3
"""How much longer a node's first call may take, which may compile kernels."""

_CHECK_S = 1.0
"""How often whoever waits for the end looks for calls that take long."""

_NAP_S = 0.005
"""How long an idle thread sleeps at most while others work."""


_OPENS_FIRST = -(1 << 60)
"""Urgency of opening a node, before everything else."""


class State(Enum):
    """Where a run stands."""

    NOT_STARTED = auto()
    RUNNING = auto()
    TERMINATED = auto()


class Scheduler:
    """One run of a graph.

    Args:
        graph: what to run.
        num_threads: threads of the default executor; default what the graph says, else one for each core.
        side_packets: by name, those given from outside.
        services: shared objects by key.
        headers: of graph inputs, by stream.
        listeners: are told of every call.
    """

    def __init__(
        self,
        graph: CheckedGraph,
        num_threads: int | None,
        side_packets: Mapping[str, Any],
        services: Mapping[str, Any],
        headers: Mapping[str, Any],
        listeners: Sequence[Listener] = (),
    ) -> None:
        self._graph = graph
        self.numbered = list(graph.nodes)
        self._listeners = listeners
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.state = State.NOT_STARTED
        threads = num_threads or graph.spec.num_threads or os.cpu_count() or 1
        self._pools = {"": Pool("", threads, self.lock)}
        for executor in graph.spec.executors:
            self._pools[executor.name] = Pool(executor.name, executor.num_threads or threads, self.lock)
        self._many_pools = len(self._pools) > 1
        self._workers: list[threading.Thread] = []
        self._slots: list[Slot] = []
        self._given_up: set[int] = set()
        self.patience_s = 10.0
        self.slow_call_s = 10.0
        self.depth = 0
        self.postponed: deque[Node] = deque()
        self._observed: deque[Observer] = deque()
        self.errors: list[CalculatorError | GraphCancelled] = []
        self.side_packets = dict(side_packets)
        self.delivered = 0
        self._paused = False
        self._running = 0
        self._closed_inputs: set[str] = set()
        self._stopping = False
        self._opened_sources: list[Node] = []
        self._active_sources: list[Node] = []

        self._services = dict(services)
        self.nodes = [self.new_node(checked, index, side_packets, None) for index, checked in enumerate(graph.nodes)]
        self.instances = self._find_instances()
        self.inputs = {entry.name: OutputStream(entry.name) for entry in graph.spec.inputs}
        for name, header in headers.items():
            self.inputs[name].header = header
        self._streams = dict(self.inputs)
        for node in self.nodes:
            self._streams.update({output.name: output for output in node.outputs})
        self._producers = {output.name: node for node in self.nodes for output in node.outputs}
        self._throttling = Throttling(self.inputs, self._producers, self.changed.notify_all)
        self._opening = Opening(self.nodes, self._streams, self.side_packets, self.push)
        self._connect()
        self._runs_until_ranked = 0
        self._rank()
        self._readers: list[Observer | Poller] = []

    def new_node(self, checked: CheckedNode, index: int, side_packets: Mapping[str, Any], key: Any) -> Node:
        """A node of the graph, or, with a key, of the instance of a graph within it."""
        queue_size = self._graph.spec.max_queue_size
        node = Node(checked, index, self, queue_size, side_packets, self._services, self._listeners, key)
        node.pool = self._pools[checked.spec.executor]
        return node

    def _find_instances(self) -> list[Instances]:
        """The instances of each `ForEach`; their nodes are numbered behind those of the graph."""
        found = []
        by_name = {node.name: node for node in self.nodes}
        for spreader in self.nodes:
            if isinstance(spreader.checked, SpreaderNode) and spreader.checked.instance is not None:
                graph, first = spreader.checked.instance, len(self.numbered)
                instances = Instances(self, graph, spreader, by_name[gatherer_of(spreader.name)], first)
                self._services[service_of(spreader.name)] = instances
                self.numbered += graph.nodes
                found.append(instances)
        return found

    def all_nodes(self) -> list[Node]:
        """The nodes of the graph, and those of the instances there are now."""
        return [*self.nodes, *(node for instances in self.instances for node in instances.nodes())]

    def _connect(self) -> None:
        for node in self.nodes:
            for queue in node.inputs:
                self._streams[queue.name].mirrors.append(queue)
                queue.on_fullness = self._throttling.fullness_changed
        for node in self.nodes:
            ancestors: set[Node] = set()
            frontier = [node]
            while frontier:
                current = frontier.pop()
                if current not in ancestors:
                    ancestors.add(current)
                    frontier += [self._producers[q.name] for q in current.inputs if q.name in self._producers]
            node.ancestor_sources = [ancestor for ancestor in ancestors if ancestor.is_source]
            for source in node.ancestor_sources:
                source.queues_behind += node.inputs

    def _rank(self) -> None:
        """Sets the urgency of all nodes by what their calls have cost so far; again after twice as many calls.

        Short calls come before long ones, later nodes first, as in MediaPipe; long ones by rank.
        """
        cost = {node.name: node.busy_ns // max(node.runs, 1) for node in self.nodes}
        for instances in self.instances:
            cost[instances.gatherer.name] += instances.measure()
        found = ranks(self._graph, cost)
        for node in self.nodes:
            node.urge(found[node.name], cost[node.name])
        for instances in self.instances:
            instances.urge(found[instances.gatherer.name])
        self._runs_until_ranked = max(sum(node.runs for node in self.nodes), 16 * len(self.nodes))

    # -- the life of a run ---------------------------------------------------------------------------------------

    def add_reader(self, reader: Observer | Poller) -> None:
        """Lets an observer or poller follow its stream; a pruned stream has nothing to follow."""
        self._readers.append(reader)
        if reader.stream in self._streams:
            self._streams[reader.stream].mirrors.append(reader.queue)
            reader.queue.on_fullness = self._throttling.fullness_changed

    def start(self) -> None:
        """Starts the threads and opens the nodes that wait for nothing."""
        for listener in self._listeners:
            listener.started(self.numbered)
        with self.lock:
            self.state = State.RUNNING
            self._opening.begin()
            for pool in self._pools.values():
                for number in range(pool.threads):
                    name = f"graphflow-{self._graph.spec.name or 'graph'}-{pool.name or 'default'}-{number}"
                    worker = threading.Thread(target=self._work, args=(pool,), name=name, daemon=True)
                    try:
                        worker.start()
                    except RuntimeError as error:
                        self._record(too_many_threads(self._graph, pool.threads, error))
                        break
                    self._workers.append(worker)
            self._when_idle()

    def has_threads(self) -> bool:
        """Whether a run was started and not yet waited for."""
        return bool(self._workers)

    def running_calls(self) -> list[RunningCall]:
        """The calls that have not returned yet."""
        now = time.perf_counter_ns()
        with self.lock:
            found = [(slot.thread, slot.task) for slot in self._slots if slot.task is not None]
        return [running_call(thread, task, self._graph.spec.name, now) for thread, task in found if task is not None]

    def wait_until_over(self) -> None:
        """Blocks until the run has ended; calls that take long are logged.

        Once the run has failed or was cancelled, calls that do not return within `patience_s` are given up: the run
        ends without them, and their threads are left to themselves.
        """
        ending_since = checked = time.monotonic()
        logged: set[tuple[int, int]] = set()
        while True:
            with self.lock:
                if self.state is State.TERMINATED:
                    return
                if not self.errors:
                    ending_since = time.monotonic()
                elif time.monotonic() >= ending_since + self.patience_s:
                    self._give_up()
                    return
                self.changed.wait(min(_CHECK_S, self.patience_s) if self.errors else _CHECK_S)
            if time.monotonic() - checked < min(_CHECK_S, self.slow_call_s):
                continue
            checked = time.monotonic()
            for call in self.running_calls():
                key = call.thread, round(checked - call.seconds)
                limit_s = self.slow_call_s * (_FIRST_CALL if call.first else 1)
                if call.seconds >= limit_s and not call.waits and key not in logged:
                    logged |= {key, (key[0], key[1] + 1), (key[0], key[1] - 1)}
                    _LOG.warning("%s; the run waits for it", call)

    def _give_up(self) -> None:
        """Ends the run without the calls that do not return."""
        for slot in self._slots:
            if slot.task is not None:
                slot.task.node.needs_close = False
                self._given_up.add(slot.thread)
        for call in self.running_calls():
            self._record(
                CalculatorError(
                    f"{call} and does not return; the run ended without it, and it was not closed",
                    graph=self._graph.spec.name,
                    node=call.node,
                    timestamp=call.timestamp,
                    code="DEADLINE_EXCEEDED",
                )
            )
        self.state = State.TERMINATED
        self.changed.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Blocks until a condition on the scheduler's state holds."""
        with self.lock:
            while not condition():
                self.changed.wait()

    def idle(self) -> bool:
        """Whether nothing runs and nothing is ready to."""
        return not self._running and all(pool.empty() for pool in self._pools.values()) and not self._observed

    def describe(self) -> str:
        """Where the run stands, in words."""
        waiting = sum(len(pool.waiting) + len(pool.sources) for pool in self._pools.values())
        paused = ", paused" if self._paused else ""
        return f"{self.state.name.lower()}{paused}, {self._running} calls running, {waiting} waiting for a thread"

    def waits_to_open(self, node: Node) -> list[str]:
        """The side packets a node needs before it opens, and the nodes that must be open before it."""
        return node.opening.missing(node)

    def shut_down(self) -> None:
        """Ends the threads and closes what the run left open; called once the run has terminated."""
        with self.lock:
            self.state = State.TERMINATED
            for pool in self._pools.values():
                pool.clear()
                pool.changed.notify_all()
        for worker in self._workers:
            if worker.ident not in self._given_up:
                worker.join()
        self._workers.clear()
        failed = {error.node for error in self.errors if isinstance(error, CalculatorError)}
        if any(isinstance(error, GraphCancelled) for error in self.errors):
            whole = ts.UNSET  # drops what is on its way
        else:  # what comes from the failed timestamp on is not complete
            times = [error.timestamp for error in self.errors if isinstance(error, CalculatorError)]
            whole = min((timestamp for timestamp in times if timestamp is not None), default=ts.MAX)
        for node in self.all_nodes():
            error = node.clean_up(ts.UNSET if node.name in failed else whole)
            if error is not None:
                with self.lock:
                    self._record(describe_failure(self._graph, node, ts.DONE, error, "close"))
        told, self._listeners = self._listeners, ()
        for listener in told:
            listener.ended()

    def reset_streams(self) -> None:
        """Starts a new stream of packets: calculators are reset, queues and bounds start over, closed nodes reopen."""
        with self.lock:
            self._closed_inputs.clear()
            for stream in self.inputs.values():
                stream.prepare()
            self._throttling.prepare()
            for reader in self._readers:
                reader.prepare()
            for node in self.nodes:
                node.prepare_streams()
        for node in self.nodes:
            was_closed = node.status is Status.CLOSED
            try:
                node.reset()
            except Exception as error:
                raise describe_failure(self._graph, node, ts.UNSTARTED, error, "reset") from error
            if was_closed and node.is_source:
                self._opened_sources.append(node)
        with self.lock:
            self._when_idle()

    # -- inputs from outside -------------------------------------------------------------------------------------

    def input_throttled(self, name: str) -> bool:
        return self._throttling.holds(name)

    def change_input(self, name: str, packets: list[Packet], bound: int) -> None:
        """Adds packets to a graph input, or raises its bound; bound DONE closes it."""
        with self.lock:
            stream = self.inputs[name]
            if stream.closed or self.state is State.TERMINATED:
                return
            try:
                if bound == ts.DONE:
                    stream.close()
                    self._closed_inputs.add(name)
                else:
                    for listener in self._listeners if packets else ():
                        listener.added(name, packets[0].timestamp)
                    stream.propagate(packets, bound)
            except StreamError as error:
                self.fail_input(name, packets[0].timestamp if packets else None, str(error))
            self.wake()
        self._deliver()
        with self.lock:
            self._when_idle()

    def inputs_closed(self) -> bool:
        return len(self._closed_inputs) == len(self.inputs)

    def stop_sources(self) -> None:
        """Lets no source emit any more; the graph runs out."""
        with self.lock:
            self._stopping = True
            for node in self._active_sources:
                node.evaluate()
            self.wake()
            self._when_idle()

    def cancel(self, patience_s: float | None = None) -> None:
        """Ends the run once the running calculators have returned, or after `patience_s` without them."""
        with self.lock:
            if patience_s is not None:
                self.patience_s = patience_s
            if self.state is State.RUNNING and self.errors:
                self.changed.notify_all()
            elif self.state is State.RUNNING:
                self._paused = False
                self._record(GraphCancelled())
                self._when_idle()

    def pause(self, paused: bool) -> None:
        """Lets nothing new start, or go on; what runs is finished."""
        with self.lock:
            self._paused = paused
            if not paused:
                for pool in self._pools.values():
                    pool.changed.notify_all()
                self._when_idle()

    def over(self) -> bool:
        """Whether the run has ended or failed."""
        return self.state is State.TERMINATED or bool(self.errors)

    # -- callbacks of nodes, under the lock ----------------------------------------------------------------------

    def push(self, task: Task) -> None:
        """Lets a task wait for a thread. After an error nothing new starts."""
        if self.errors:
            return
        node = task.node
        if task.action is Action.OPEN:
            node.pool.put(_OPENS_FIRST, task)
        elif not node.is_source:
            node.pool.put(node.urgency, task)
        else:
            if self._stopping:
                task.action = Action.CLOSE
            node.pool.sources.append(task)

    def opened(self, node: Node) -> None:
        """A node is open: sources can start."""
        if node.is_source:
            self._opened_sources.append(node)

    def observed(self, observer: Observer) -> None:
        if observer not in self._observed and not observer.delivering:
            self._observed.append(observer)

    def fail(self, node: Node, task: Task) -> None:
        """A calculator raised."""
        assert task.error is not None
        self._record(describe_failure(self._graph, node, task.context.timestamp, task.error, task.action.name.lower()))

    def fail_stream(self, node: Node, stream: str | None, packets: list[Packet], error: StreamError) -> None:
        """A node broke the order of one of its output streams, or (None) its input policy cannot go on."""
        timestamp = packets[0].timestamp if packets else None
        place = "its input policy" if stream is None else f"output '{stream}'"
        self._record(describe_failure(self._graph, node, timestamp, error, place, code="INVALID_ARGUMENT"))

    # -- errors --------------------------------------------------------------------------------------------------

    def fail_input(self, name: str, timestamp: int | None, reason: str) -> None:
        """A packet from outside does not fit its input."""
        graph = self._graph.spec.name
        message = f"graph '{graph}': input '{name}': {reason}"
        with self.lock:
            self._record(CalculatorError(message, graph=graph, timestamp=timestamp, code="INVALID_ARGUMENT"))
            self._when_idle()

    def _record(self, error: CalculatorError | GraphCancelled) -> None:
        self.errors.append(error)
        for pool in self._pools.values():
            pool.clear()
        self.changed.notify_all()

    # -- idleness ------------------------------------------------------------------------------------------------

    def _when_idle(self) -> None:
        """Nothing runs: start the next sources, grow a queue that holds everything up, or end the run."""
        while self.state is State.RUNNING and not self._paused and self.idle():
            self._active_sources = [node for node in self._active_sources if node.status is not Status.CLOSED]
            exhausted = not self._active_sources and not self._opened_sources and self.inputs_closed()
            if self.errors or exhausted:
                self.state = State.TERMINATED
                break
            if not self._active_sources and self._opened_sources:
                self._activate_sources()
                continue
            held_up = self._throttling.held_up_by(self._active_sources)
            if not held_up:
                break
            for node, queue in held_up:
                if self._graph.spec.report_deadlock:
                    self._record(stuck(self._graph, queue, node.name))
                else:
                    _LOG.debug("growing the full queue of '%s' in front of '%s'", queue.name, node.name)
                    queue.resize(len(queue.packets) + 1)
        self.wake()
        self.changed.notify_all()

    def _activate_sources(self) -> None:
        layer = min(node.checked.spec.source_layer for node in self._opened_sources)
        self._active_sources = [node for node in self._opened_sources if node.checked.spec.source_layer == layer]
        self._opened_sources = [node for node in self._opened_sources if node not in self._active_sources]
        for node in self._active_sources:
            node.active = True
            node.evaluate()

    # -- threads -------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Rouses threads for the tasks that wait."""
        for pool in self._pools.values():
            pool.rouse()

    def _work(self, pool: Pool) -> None:
        lock = self.lock
        rested = False
        slot = Slot(threading.get_ident())
        with lock:
            self._slots.append(slot)
            while True:
                # what is asked first is what nearly always holds
                while self._paused or ((not pool.waiting or pool.light_running) and not pool.may_take(rested)):
                    if self.state is State.TERMINATED:
                        return
                    pool.idle += 1
                    nap = _NAP_S if self._running and not self._paused else None
                    rested = not pool.changed.wait(nap)
                    pool.idle -= 1
                rested = False
                task = pool.take() if pool.sources else heapq.heappop(pool.waiting)[2]  # the most frequent case, inline
                light = task.node.light
                self._running += 1
                pool.light_running += light
                again = True
                while again:
                    if pool.idle or self._many_pools:
                        self._share(pool, light)
                    slot.task = task
                    lock.release()
                    task.run()  # takes in whatever the calculator raises
                    lock.acquire()
                    slot.task = None
                    if slot.thread in self._given_up:
                        return
                    again = task.node.finish(task) and not self.errors
                if self._observed:
                    self._unlocked(self._deliver)
                pool.light_running -= light
                self._running -= 1
                self._runs_until_ranked -= 1
                if self._runs_until_ranked == 0:
                    self._rank()
                if not self._running and pool.empty():
                    self._when_idle()

    def _share(self, pool: Pool, light: bool) -> None:
        """Rouses other threads for what waits while this one begins a call, `light` if it will soon be back."""
        for other in self._pools.values():
            if other is pool and light:
                other.rouse_for_long_calls()
            else:
                other.rouse()

    def _unlocked(self, call: Callable[[], None]) -> None:
        self.lock.release()
        try:
            call()
        finally:
            self.lock.acquire()

    def _next_event(self, observer: Observer) -> Packet | None:
        with self.lock:
            if not observer.events:
                observer.delivering = False
                return None
            self.delivered += 1
            self.changed.notify_all()
            return observer.events.popleft()

    def _deliver(self) -> None:
        """Calls observers; called without the lock. While one thread delivers for a stream, others leave it to it."""
        while True:
            with self.lock:
                if not self._observed:
                    return
                observer = self._observed.popleft()
                observer.delivering = True
            while True:
                packet = self._next_event(observer)
                if packet is None:
                    break
                try:
                    observer.callback(packet)
                except Exception as error:
                    message = f"the observer of '{observer.stream}' raised {type(error).__name__}: {error}"
                    described = CalculatorError(message, graph=self._graph.spec.name, timestamp=packet.timestamp)
                    described.__cause__ = error
                    with self.lock:
                        self._record(described)
                        observer.events.clear()
