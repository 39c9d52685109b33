"""The graph as its user holds it: observe, start, feed, wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphflow import timestamp as ts
from graphflow import warm_up
from graphflow.config.checked import CheckedGraph
from graphflow.errors import CalculatorError, GraphflowError
from graphflow.packet import Packet, freeze
from graphflow.ports import accepts, runtime_types, type_name
from graphflow.runtime.diagnosis import diagnose
from graphflow.runtime.observers import Observer
from graphflow.runtime.plan import Plan, make_plan
from graphflow.runtime.pollers import Poller
from graphflow.runtime.running_calls import RunningCall
from graphflow.runtime.scheduler import Scheduler, State
from graphflow.runtime.tracing import Listener
from graphflow.services import Service

ObserverCallback = Callable[[Packet], None]


@dataclass(frozen=True, slots=True)
class NodeStatistics:
    """What one node did in a run.

    Attributes:
        runs: calls of the calculator, with `open` and `close`.
        seconds: inside those calls.
        queue_depth: packets that wait now in the longest of its input queues.
        queue_peak: the most that ever waited in one of them.
        dropped: packets that a live source or a limiter left out.
    """

    runs: int
    seconds: float
    queue_depth: int
    queue_peak: int
    dropped: int


class Graph:
    """A graph that can be run, any number of times.

    Args:
        checked: a validated graph, from `graphflow.load` or `graphflow.config`.
        num_threads: threads of the default executor; default what the graph says, else one for each core.
        prune: leave out nodes whose outputs nobody reads. Readers are observers, nodes without outputs, and the
            streams named in `wanted`.
        fuse: run nodes with short calls in one step with their neighbours, where that changes no result.
        wanted: further streams or side packets that must be computed.

    ```python
    graph = graphflow.load("pose")
    graph.observe("pose_landmarks", lambda packet: print(packet.timestamp, packet.value.xyz[0]))
    graph.start()
    graph.add_packet("image", image, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    ```
    """

    def __init__(
        self,
        checked: CheckedGraph,
        *,
        num_threads: int | None = None,
        prune: bool = False,
        fuse: bool = True,
        wanted: tuple[str, ...] = (),
    ) -> None:
        self.checked = checked
        self._num_threads = num_threads
        self.slow_call_s = 10.0
        self._prune = prune
        self._fuse = fuse
        self._wanted = wanted
        self._observers: list[tuple[str, ObserverCallback, bool]] = []
        self._pollers: list[Poller] = []
        self._listeners: list[Listener] = []
        self._services: dict[str, Any] = {}
        self._outputs_seen = 0
        self._scheduler: Scheduler | None = None
        self._input_types = {entry.name: checked.stream_types.get(entry.name, Any) for entry in checked.spec.inputs}

    @property
    def name(self) -> str:
        return self.checked.spec.name

    def observe(self, stream: str, callback: ObserverCallback, *, bounds: bool = False) -> None:
        """Calls `callback(packet)` for every packet of a stream, in order, from the thread that produced it.

        Args:
            stream: any stream of the graph, inner ones by their path, such as `hands/left/hand_roi_from_pose`.
            callback: must not wait for the graph; what it raises ends the run.
            bounds: also call it with an empty packet where time advanced without one.

        Raises:
            GraphflowError: there is no such stream, or the graph runs.
        """
        self._check_stream(stream)
        self._observers.append((stream, callback, bounds))

    def poll(self, stream: str, *, bounds: bool = False, max_queue_size: int = -1) -> Poller:
        """Gives a poller, from which the packets of a stream are pulled while the graph runs.

        Args:
            stream: as for `observe`.
            bounds: also give empty packets where time advanced without one.
            max_queue_size: packets that may wait in the poller before the sources that feed it have to; -1: any number.

        Raises:
            GraphflowError: there is no such stream, or the graph runs.
        """
        self._check_stream(stream)
        poller = Poller(stream, bounds, max_queue_size)
        self._pollers.append(poller)
        return poller

    def listen(self, listener: Listener) -> None:
        """Tells a listener, such as a `TraceFile`, of every call in the next run.

        Raises:
            GraphflowError: the graph runs.
        """
        if self._running():
            raise GraphflowError(f"graph '{self.name}' runs: add listeners before start()")
        self._listeners.append(listener)

    def set_service(self, service: Service, value: Any) -> None:
        """Gives the object behind a service, for the runs that start from now on."""
        self._services[service.key] = value

    def start(self, side_packets: Mapping[str, Any] | None = None, headers: Mapping[str, Any] | None = None) -> None:
        """Starts a run.

        Args:
            side_packets: values of side packets by name.
            headers: what to say about whole graph inputs before any packet, by stream.

        Raises:
            GraphflowError: a side packet or service is missing, a side packet is of the wrong type, a header is for no
                input of the graph, or the graph runs already.
        """
        if self._running():
            raise GraphflowError(f"graph '{self.name}' runs already: wait_until_done() or cancel() first")
        given = dict(side_packets or {})
        self._check_side_packets(given)
        checked = self.plan().graph
        for name in headers or {}:
            if name not in {entry.name for entry in checked.spec.inputs}:
                raise GraphflowError(f"graph '{self.name}' has no input '{name}' to give a header for")
        scheduler = Scheduler(
            checked, self._num_threads, given, self._provide_services(), headers or {}, tuple(self._listeners)
        )
        for stream, callback, bounds in self._observers:
            scheduler.add_reader(Observer(stream, callback, bounds, scheduler))
        for poller in self._pollers:
            poller.attach(scheduler)
            scheduler.add_reader(poller)
        self._scheduler = scheduler
        self._outputs_seen = 0
        warm_up.begin()
        scheduler.start()

    def plan(self) -> Plan:
        """How the graph would run now, for the observers and pollers it has."""
        wanted = {*self._wanted, *(stream for stream, _, _ in self._observers)}
        wanted |= {poller.stream for poller in self._pollers}
        return make_plan(self.checked, wanted, pruned=self._prune, fused=self._fuse)

    def add_packet(self, stream: str, value: Any, timestamp: int, *, wait: bool = True) -> None:
        """Adds a packet to a graph input, after waiting for room where a queue is full.

        Args:
            stream: name of a graph input.
            value: what the packet carries; its arrays become read-only.
            timestamp: microseconds, later than the last one of this stream.
            wait: False raises an error with code UNAVAILABLE instead of waiting.

        Raises:
            GraphflowError: there is no such input, or the run has failed; a value of the wrong type, or a timestamp
                that goes back, fails the run.
        """
        scheduler = self._input(stream)
        if value is None or not accepts(runtime_types(self._input_types[stream]), value):
            takes = type_name(self._input_types[stream])
            scheduler.fail_input(stream, timestamp, f"it takes {takes}, not {type(value).__name__}")
            self._raise_errors()
        freeze(value)
        if scheduler.input_throttled(stream) and not wait:
            raise CalculatorError(
                f"input '{stream}' of graph '{self.name}' is full", graph=self.name, code="UNAVAILABLE"
            )
        scheduler.wait(
            lambda: (
                not scheduler.input_throttled(stream) or bool(scheduler.errors) or scheduler.state is State.TERMINATED
            )
        )
        self._raise_errors()
        scheduler.change_input(stream, [Packet(value, timestamp)], ts.next_allowed_in_stream(timestamp))
        self._raise_errors()

    def set_bound(self, stream: str, timestamp: int) -> None:
        """Promises that no packet earlier than `timestamp` will be added to a graph input."""
        self._input(stream).change_input(stream, [], timestamp)
        self._raise_errors()

    def close_input(self, stream: str) -> None:
        """Ends a graph input; closing it twice is fine."""
        self._input(stream).change_input(stream, [], ts.DONE)

    def close_all_inputs(self) -> None:
        """Ends all graph inputs; what was added is still worked through."""
        scheduler = self._started()
        for stream in scheduler.inputs:
            scheduler.change_input(stream, [], ts.DONE)

    def close_all_sources(self) -> None:
        """Ends all graph inputs and stops the graph's own source calculators."""
        self.close_all_inputs()
        self._started().stop_sources()

    def wait_until_idle(self) -> None:
        """Blocks until all that was added is worked through as far as it can be.

        Raises:
            CalculatorError: the run has failed.
        """
        scheduler = self._started()
        scheduler.wait(scheduler.idle)
        self._raise_errors()

    def wait_for_output(self) -> bool:
        """Blocks until an observer has been called since the last call of this; False when the run ends before.

        Raises:
            CalculatorError: the run has failed.
        """
        scheduler = self._started()
        scheduler.wait(lambda: scheduler.delivered > self._outputs_seen or scheduler.over())
        self._raise_errors()
        came = scheduler.delivered > self._outputs_seen
        self._outputs_seen = scheduler.delivered
        return came

    def pause(self) -> None:
        """Lets no calculator start until `resume`; those that run finish, and packets can be added meanwhile."""
        self._started().pause(True)

    def resume(self) -> None:
        """Goes on after `pause`."""
        self._started().pause(False)

    def wait_until_done(self) -> None:
        """Blocks until the run is over: inputs closed, sources exhausted, everything worked through and closed.

        A call that takes longer than `slow_call_s` seconds is logged as a warning. One that does not return within 10
        seconds after the run has failed or was cancelled is given up: its node is not closed, its thread left alone.

        Raises:
            CalculatorError: the run failed; further failures are attached as notes.
            GraphCancelled: it was cancelled.
        """
        scheduler = self._started()
        scheduler.slow_call_s = self.slow_call_s
        try:
            scheduler.wait_until_over()
        except KeyboardInterrupt:
            scheduler.cancel()
            scheduler.wait_until_over()
            scheduler.shut_down()
            raise
        scheduler.shut_down()
        self._raise_errors()

    def cancel(self, patience_s: float | None = None) -> None:
        """Ends the run as soon as the running calculators return; `wait_until_done` then raises GraphCancelled.

        Args:
            patience_s: how long to wait for them before the run ends without them, 10 seconds where nothing is said;
                call this again to shorten it.
        """
        self._started().cancel(patience_s)

    def running_calls(self) -> list[RunningCall]:
        """The calls of calculators that have not returned yet, for whoever wonders what takes so long."""
        return self._started().running_calls()

    def reset(self) -> None:
        """Makes the graph ready for another stream of packets without loading anything again.

        A running graph first works through what it has; every calculator's `reset` is called, and timestamps may start
        over; nodes that had closed open again. A run that has ended stays ended: `start` makes everything new.
        """
        if not self._running():
            return
        self.wait_until_idle()
        scheduler = self._started()
        if scheduler.state is State.TERMINATED:
            scheduler.shut_down()
            self._raise_errors()
        else:
            scheduler.reset_streams()

    def side_packet(self, name: str) -> Any:
        """The value of a side packet of the current or last run, None where it was not provided."""
        return self._started().side_packets.get(name)

    def statistics(self) -> dict[str, NodeStatistics]:
        """What each node of the current or last run has done so far, by node name.

        Nodes that run as one step share the queues in front of the step; those that run for each key are counted
        together for all keys, without their queues.
        """
        scheduler = self._started()
        told = {
            name: NodeStatistics(
                runs=runs,
                seconds=busy_ns / 1e9,
                queue_depth=max((len(queue.packets) for queue in node.inputs), default=0),
                queue_peak=max((queue.peak for queue in node.inputs), default=0),
                dropped=dropped,
            )
            for node in scheduler.nodes
            for name, runs, busy_ns, dropped in node.work()
        }
        for instances in scheduler.instances:
            for name, (runs, busy_ns, dropped) in instances.work().items():
                told[name] = NodeStatistics(runs, busy_ns / 1e9, 0, 0, dropped)
        return told

    def diagnose(self) -> str:
        """Who waits for what in the current or last run: each node with its calls, its queues and what it waits for.

        For whoever wonders why a graph does not move; it can be called from any thread while the graph runs or hangs.
        """
        return diagnose(self.name, self._started())

    def _running(self) -> bool:
        return self._scheduler is not None and self._scheduler.has_threads()

    def _started(self) -> Scheduler:
        if self._scheduler is None:
            raise GraphflowError(f"graph '{self.name}' was not started")
        return self._scheduler

    def _input(self, stream: str) -> Scheduler:
        scheduler = self._started()
        if stream not in scheduler.inputs:
            exists = ", ".join(scheduler.inputs) or "none"
            raise GraphflowError(f"graph '{self.name}' has no input '{stream}'; its inputs are: {exists}")
        return scheduler

    def _check_stream(self, stream: str) -> None:
        if self._running():
            raise GraphflowError(f"graph '{self.name}' runs: observe and poll streams before start()")
        if stream not in self.checked.stream_types:
            exists = ", ".join(entry.name for entry in self.checked.spec.outputs)
            raise GraphflowError(f"graph '{self.name}' has no stream '{stream}'; its outputs are: {exists or 'none'}")

    def _provide_services(self) -> Mapping[str, Any]:
        """The objects behind all services that nodes use; made here where the application gave none."""
        for node in self.checked.nodes:
            for service in node.calculator.services:
                if service.key in self._services:
                    continue
                if service.create is not None:
                    self._services[service.key] = service.create()
                elif not service.optional:
                    raise GraphflowError(
                        f"node '{node.spec.name}' of graph '{self.name}' needs the service '{service.key}': "
                        f"give it with Graph.set_service"
                    )
        return self._services

    def _check_side_packets(self, given: Mapping[str, Any]) -> None:
        provided = {entry.name for node in self.checked.nodes for entry in node.binding.side_outputs}
        for node in self.checked.nodes:
            for entry in node.binding.side_inputs:
                if entry.name in provided:
                    continue
                if entry.name not in given and not entry.port.optional:
                    raise GraphflowError(
                        f"graph '{self.name}' needs the side packet '{entry.name}', which node '{node.spec.name}' "
                        f"reads: pass it to start(side_packets={{'{entry.name}': …}})"
                    )
                if entry.name in given and not accepts(runtime_types(entry.port.type), given[entry.name]):
                    raise GraphflowError(
                        f"side packet '{entry.name}' of graph '{self.name}' must be {type_name(entry.port.type)}, "
                        f"not {type(given[entry.name]).__name__}"
                    )

    def _raise_errors(self) -> None:
        errors = list(self._started().errors)
        if not errors:
            return
        first = errors[0]
        if isinstance(first, CalculatorError):
            codes = {error.code for error in errors if isinstance(error, CalculatorError)}
            first.code = codes.pop() if len(codes) == 1 and len(errors) > 0 else "UNKNOWN"
        known = getattr(first, "__notes__", ())
        for error in errors[1:]:
            note = f"also: {error}"
            if note not in known:
                first.add_note(note)
        raise first
