"""ForEach at run time: instances of a graph by key, fed by one node and gathered by another.

The container's node becomes two. The spreader runs at every timestamp of the container's inputs: it makes the instances
of new keys, hands each its item, closes those that were without one for too long, and says which timestamp it has dealt
with. The gatherer waits until all instances are settled there, and makes one mapping of what came out. Between the two
the nodes of the instances run like any others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graphflow import timestamp as ts
from graphflow.config.checked import CheckedGraph, CheckedNode
from graphflow.config.spec import PolicySpec, StreamRef
from graphflow.context import Binding, Connection, Context
from graphflow.packet import Packet, freeze
from graphflow.ports import Output, accepts, runtime_types, type_name
from graphflow.runtime.fusion import members_of
from graphflow.runtime.gathering import GatherPolicy, SpreadPolicy
from graphflow.runtime.node import Node, Status
from graphflow.runtime.opening import Opening
from graphflow.runtime.priorities import ranks
from graphflow.runtime.streams import InputQueue, OutputStream

if TYPE_CHECKING:
    from graphflow.runtime.scheduler import Scheduler

_DEALT_WITH = Output("DEALT_WITH", doc="a packet at every timestamp that the spreader has dealt with")


@dataclass(frozen=True, slots=True)
class SpreaderNode(CheckedNode):
    """The node that feeds the instances."""

    def new_runnable(self) -> Spreader:
        return Spreader(self)


@dataclass(frozen=True, slots=True)
class GathererNode(CheckedNode):
    """The node that gathers what the instances put out."""

    def new_runnable(self) -> Gatherer:
        return Gatherer()


def split(node: CheckedNode) -> tuple[SpreaderNode, GathererNode]:
    """The two nodes that a `ForEach` becomes."""
    spec, binding = node.spec, node.binding
    dealt_with = Connection("DEALT_WITH", 0, f"{spec.name}/dealt_with", _DEALT_WITH)
    entering = Binding(binding.inputs, (dealt_with,), binding.side_inputs)
    spreader = SpreaderNode(spec, node.calculator, entering, node.input_policy, node.instance)
    gatherer = GathererNode(
        replace(spec, name=gatherer_of(spec.name)),
        node.calculator,
        Binding((dealt_with,), binding.outputs),
        PolicySpec(),
        node.instance,
    )
    return spreader, gatherer


class Spreader:
    """Stands in the calculator's place of the node that feeds the instances."""

    timestamp_offset = 0
    process_timestamp_bounds = False
    dropped = 0

    def __init__(self, checked: SpreaderNode) -> None:
        options: Any = checked.new_calculator()
        named = {name if ":" in name else f"{name}:0" for name in options.each}
        inputs = checked.binding.inputs
        self._keyed = [f"{entry.tag}:{entry.index}" in named for entry in inputs]
        self._names = [entry.name for entry in inputs]
        self.instances: Instances

    def open(self, context: Context) -> None:
        """Gives the instances the side packets, which are there by now."""
        self.instances = context.services[service_of(context.node)]
        self.instances.side_values = context.side_values

    def process(self, context: Context) -> None:
        """Deals with one timestamp."""
        for_all: dict[int, Any] = {}
        by_key: dict[Any, dict[int, Any]] = {}
        for place, (packet, keyed) in enumerate(zip(context.packets, self._keyed, strict=True)):
            if packet.value is None:
                continue
            if not keyed:
                for_all[place] = packet.value
                continue
            if not isinstance(packet.value, Mapping):
                kind = type(packet.value).__name__
                raise TypeError(f"'{self._names[place]}' must carry a mapping from key to item, not {kind}")
            for key, item in packet.value.items():
                by_key.setdefault(key, {})[place] = item
        self.instances.feed(context.timestamp, {key: {**for_all, **own} for key, own in by_key.items()})
        context.emitted[0].append(Packet(True, context.timestamp))

    def close(self, context: Context) -> None:
        """Closes all instances; what they have is still worked through."""
        self.instances.close()

    def reset(self, context: Context) -> None:
        """Begins anew, without instances."""
        self.instances.drop()


class Gatherer:
    """Stands in the calculator's place of the node that gathers; its input policy has done the work."""

    timestamp_offset = 0
    process_timestamp_bounds = False
    dropped = 0

    def open(self, context: Context) -> None:
        """Nothing to do."""

    def process(self, context: Context) -> None:
        """Emits what was gathered, an empty mapping where no instance had anything to say."""
        for emitted, packet in zip(context.emitted, context.packets[1:], strict=True):
            freeze(list(packet.value.values()))
            emitted.append(packet)

    def close(self, context: Context) -> None:
        """Nothing to do."""

    def reset(self, context: Context) -> None:
        """Nothing to do."""


class Instance:
    """The copy of the graph that belongs to one key: its nodes, and the streams that lead into them."""

    def __init__(self, nodes: list[Node], inputs: list[OutputStream], opening: Opening) -> None:
        self.nodes = nodes
        self.inputs = inputs
        self.opening = opening
        self.idle_for = 0

    def settle(self, bound: int) -> None:
        """Says on all inputs that nothing more comes before `bound`."""
        for stream in self.inputs:
            if bound > stream.bound:
                stream.propagate([], bound)

    def close(self) -> None:
        """Ends the inputs; the nodes close as they have worked through what they hold."""
        for stream in self.inputs:
            stream.close()

    def over(self) -> bool:
        """Whether all nodes that read anything are closed."""
        return all(node.status is Status.CLOSED for node in self.nodes if node.inputs)


class Instances:
    """The instances of one `ForEach` in one run.

    Args:
        scheduler: runs their nodes.
        graph: what each instance runs, planned; its nodes have their places in the run's list of nodes from `first`.
        spreader: the node that feeds them.
        gatherer: the node that gathers what they put out.
        first: see `graph`.
    """

    def __init__(self, scheduler: Scheduler, graph: CheckedGraph, spreader: Node, gatherer: Node, first: int) -> None:
        self._scheduler = scheduler
        self._graph = graph
        self.gatherer = gatherer
        self._first = first
        options: Any = spreader.checked.new_calculator()
        self._grace: int = options.grace
        spreading = spreader.policy = SpreadPolicy(spreader, gatherer, self._settle)
        self._policy = gatherer.policy = GatherPolicy(gatherer.inputs, len(gatherer.outputs), spreading)
        # the container's connections are sorted by tag, those of the graph stand as they are written
        bound, spec = spreader.checked.binding, graph.spec
        self._from_input = _places(spec.inputs, bound.inputs)
        self._from_side_input = _places(spec.side_inputs, bound.side_inputs)
        self._outputs = _places(gatherer.checked.binding.outputs, spec.outputs)
        self._input_types = [graph.stream_types.get(ref.name, Any) for ref in spec.inputs]
        self.side_values: Sequence[Any] = ()
        self.living: dict[Any, Instance] = {}
        self._closing: list[Instance] = []
        self._work_of_those_over: dict[str, list[int]] = {}
        self._cost: dict[str, int] = {}
        self._ranks: dict[str, int] = {}
        self._behind = 0
        self.measure()

    def feed(self, timestamp: int, items: Mapping[Any, Mapping[int, Any]]) -> None:
        """Deals with one timestamp: `items` are values by input for each key. Takes the lock.

        Raises:
            TypeError: a value is not what the graph takes.
        """
        packets = {key: self._packets(timestamp, items[key]) for key in sorted(items)}
        with self._scheduler.lock:
            self._forget_those_that_are_over()
            for key, given in packets.items():
                instance = self.living.get(key)
                if instance is None:
                    instance = self.living[key] = self._new_instance(key, timestamp)
                instance.idle_for = 0
                for stream, packet in zip(instance.inputs, given, strict=True):
                    stream.propagate([] if packet is None else [packet], ts.next_allowed_in_stream(timestamp))
            for key in [key for key in self.living if key not in packets]:
                instance = self.living[key]
                instance.idle_for += 1
                if instance.idle_for > self._grace:
                    self._retire(self.living.pop(key))
                else:
                    instance.settle(ts.next_allowed_in_stream(timestamp))
            self._scheduler.wake()

    def close(self) -> None:
        """Closes all instances. Takes the lock."""
        with self._scheduler.lock:
            while self.living:
                self._retire(self.living.pop(next(iter(self.living))))
            self._scheduler.wake()

    def drop(self) -> None:
        """Closes all instances at once, whatever they hold; called without the lock while nothing runs."""
        for instance in [*self.living.values(), *self._closing]:
            for node in instance.nodes:
                node.clean_up(ts.UNSET)
                node.status = Status.CLOSED
        self.living.clear()
        self._forget_those_that_are_over()

    def nodes(self) -> Iterator[Node]:
        """The nodes of all instances that are not over."""
        for instance in [*self.living.values(), *self._closing]:
            yield from instance.nodes

    def work(self) -> dict[str, list[int]]:
        """Calls, nanoseconds and dropped packets of all instances there were, by the name of the node."""
        total = {name: list(entry) for name, entry in self._work_of_those_over.items()}
        for node in self.nodes():
            _add(total, node)
        return total

    def measure(self) -> int:
        """Finds the ranks within the graph by what its nodes' calls have cost, in nanoseconds; returns the highest."""
        total = self.work()
        for node in self._graph.nodes:
            done = [total.get(member.spec.name, [0, 0, 0]) for member in members_of(node)]
            self._cost[node.spec.name] = sum(busy_ns // max(runs, 1) for runs, busy_ns, _ in done)
        self._ranks = ranks(self._graph, self._cost)
        return max(self._ranks.values(), default=0)

    def urge(self, rank: int) -> None:
        """Sets how urgent the calls of all instances are; `rank`, the gatherer's, has what they take in it."""
        self._behind = rank - max(self._ranks.values(), default=0)
        for node in self.nodes():
            self._urge_one(node)

    def _urge_one(self, node: Node) -> None:
        name = node.checked.spec.name
        node.urge(self._ranks[name] + self._behind, self._cost[name])

    def _packets(self, timestamp: int, values: Mapping[int, Any]) -> list[Packet | None]:
        packets: list[Packet | None] = []
        for ref, place, taken in zip(self._graph.spec.inputs, self._from_input, self._input_types, strict=True):
            value = values.get(place)
            if value is not None and not accepts(runtime_types(taken), value):
                raise TypeError(f"'{ref.name}' takes {type_name(taken)}, not {type(value).__name__}")
            packets.append(None if value is None else Packet(value, timestamp))
        return packets

    def _new_instance(self, key: Any, timestamp: int) -> Instance:
        scheduler = self._scheduler
        graph = self._graph
        sides = {
            ref.name: self.side_values[place]
            for ref, place in zip(graph.spec.side_inputs, self._from_side_input, strict=True)
        }
        nodes = [
            scheduler.new_node(checked, self._first + place, sides, key) for place, checked in enumerate(graph.nodes)
        ]
        for node in nodes:
            self._urge_one(node)
        streams = {ref.name: OutputStream(ref.name) for ref in graph.spec.inputs}
        inputs = list(streams.values())
        streams.update({output.name: output for node in nodes for output in node.outputs})
        for node in nodes:
            # what waits in an instance is bounded by what waits for the gatherer
            node.queue_size = -1
            for queue in node.inputs:
                queue.max_size = -1
                streams[queue.name].mirrors.append(queue)
        for output, place in enumerate(self._outputs):
            name = graph.spec.outputs[place].name
            queue = InputQueue(name, self.gatherer)
            queue.bound = timestamp
            streams[name].mirrors.append(queue)
            self._policy.attach(queue, output, key)
        instance = Instance(nodes, inputs, Opening(nodes, streams, sides, scheduler.push))
        instance.opening.begin()
        return instance

    def _settle(self, bound: int) -> None:
        """Nothing comes before `bound`, to no instance."""
        if ts.MIN <= bound <= ts.MAX:
            for instance in self.living.values():
                instance.settle(bound)

    def _retire(self, instance: Instance) -> None:
        self._closing.append(instance)
        instance.close()

    def _forget_those_that_are_over(self) -> None:
        for instance in [instance for instance in self._closing if instance.over()]:
            self._closing.remove(instance)
            for node in instance.nodes:
                node.clean_up(ts.UNSET)
                _add(self._work_of_those_over, node)


def _add(total: dict[str, list[int]], node: Node) -> None:
    for name, runs, busy_ns, dropped in node.work():
        entry = total.setdefault(name, [0, 0, 0])
        entry[:] = entry[0] + runs, entry[1] + busy_ns, entry[2] + dropped


def _places(wanted: Sequence[Connection | StreamRef], among: Sequence[Connection | StreamRef]) -> list[int]:
    """Where the connections of the same tags and indices stand; -1 where one is not there."""
    places = {(entry.tag, entry.index): place for place, entry in enumerate(among)}
    return [places.get((entry.tag, entry.index), -1) for entry in wanted]


def gatherer_of(name: str) -> str:
    """The name of the node that gathers what the instances of a container put out."""
    return f"{name}/gather"


def service_of(name: str) -> str:
    """The key under which a spreader finds its instances."""
    return f"instances of {name}"
