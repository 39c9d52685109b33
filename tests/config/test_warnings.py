"""What is no mistake but hardly meant: each warning at its place, none where all is as it should be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from graphflow import Calculator, Context, Graph, Input, Output, SideOutput
from graphflow.config import examine, graph_names, liveness, load, module_names, read

SAME = "calculator: ./calculators.py:Same"
LOOP = "calculator: ./calculators.py:Previous"
HEAD = "inputs: [a]\noutputs: [b]\nnodes:\n"

WARNINGS: dict[str, tuple[str, tuple[str, ...]]] = {
    "output of a node": (
        HEAD + f"  n: {{{SAME}, inputs: [a, a], outputs: [b, «c]}}\n",
        ("nothing reads stream 'c', untagged output 1 of node 'n'", "leave it out, or call it '_c'"),
    ),
    "output of a node that is needed": (
        HEAD + f"  m: {{{SAME}, inputs: [a], outputs: [b]}}\n"
        "  n: {calculator: ./calculators.py:Double, inputs: {VALUE: a}, outputs: {RESULT: «c}}\n",
        ("nothing reads stream 'c', output RESULT of node 'n'", "leave out the node"),
    ),
    "output of a subgraph": (
        HEAD + "  n:\n    calculator: Scale\n    inputs: {VALUE: a}\n    outputs: {RESULT: b, TEXT: «t}\n"
        "    options: {language: en}\n",
        ("nothing reads stream 't', output TEXT of node 'n'",),
    ),
    "input of the graph": (
        "inputs: {A: a, C: «c}\n" + HEAD[12:] + f"  n: {{{SAME}, inputs: [a], outputs: [b]}}\n",
        ("nothing reads stream 'c', an input of graph",),
    ),
    "side input": (
        "side_inputs: {S: «s}\n" + HEAD + f"  n: {{{SAME}, inputs: [a], outputs: [b]}}\n",
        ("nothing reads side packet 's'",),
    ),
    "side output": (
        HEAD + f"  n: {{{SAME}, inputs: [a], outputs: [b]}}\n"
        "  t: {calculator: ./calculators.py:Title, side_outputs: [«s]}\n",
        ("nothing reads side packet 's', untagged output 0 of node 't'",),
    ),
    "parameter": (
        "params:\n  one: 1\n  «two: 2\n"
        + HEAD
        + f"  n: {{{SAME}, inputs: [a], outputs: [b], max_in_flight: $one}}\n",
        ("nothing uses parameter 'two'", "write $two where it counts"),
    ),
    "a loop that nothing enters": (
        HEAD + f"  n: {{{SAME}, inputs: [a], outputs: [b]}}\n"
        f"  x: {{{SAME}, inputs: [{{stream: «z, back_edge: true}}], outputs: [y]}}\n"
        f"  y: {{{SAME}, inputs: [y], outputs: [z]}}\n",
        ("node 'x' can never run: all that it reads comes round from its own outputs (x -> y -> x)",),
    ),
    "an input that waits for the node's own output": (
        HEAD + f"  n: {{{SAME}, inputs: [a, {{stream: «z, back_edge: true}}], outputs: [b, y]}}\n"
        f"  m: {{{SAME}, inputs: [y], outputs: [z]}}\n",
        (
            "node 'n' waits for ever: its input policy (default) lets 'a' wait for 'z'",
            "give the node 'input_policy: immediate'",
        ),
    ),
    "the same in one sync set": (
        HEAD + f"  n:\n    {SAME}\n    inputs: [a, {{stream: «z, back_edge: true}}]\n    outputs: [b, y]\n"
        '    input_policy: {name: sync_sets, sync_set: [{tag_index: [":0", ":1"]}]}\n'
        f"  m: {{{SAME}, inputs: [y], outputs: [z]}}\n",
        ("waits for ever: its input policy (sync_sets)",),
    ),
    "a queue behind it": (
        HEAD + f"  x: {{{SAME}, inputs: [{{stream: «z, back_edge: true}}], outputs: [z]}}\n"
        f"  n: {{{SAME}, inputs: [«a, z], outputs: [b, _c], queue_size: 7}}\n",
        (
            "the queue of 'a' at untagged input 0 of node 'n' cannot drain: its packets wait for 'z', which never",
            "room for 7 packets at first; see what keeps node 'x' from running",
        ),
    ),
    "a back edge that closes no loop": (
        HEAD + f"  m: {{{SAME}, inputs: [a], outputs: [z]}}\n"
        f"  n: {{{LOOP}, inputs: {{MAIN: a, LOOP: {{stream: «z, back_edge: true}}}}, outputs: {{PREVIOUS: b}}}}\n",
        ("the back edge 'z' at input LOOP of node 'n' closes no loop: 'm' does not depend on the node",),
    ),
}

FINE: dict[str, str] = {
    "a name with an underscore": HEAD + f"  n: {{{SAME}, inputs: [a, a], outputs: [b, _c]}}\n",
    "an output that is needed beside one that is read": HEAD
    + "  n: {calculator: ./calculators.py:Shout, inputs: [a], outputs: {'': x, CALM: b}}\n",
    "read under some condition": "params: {p: false}\n" + HEAD + f"  m: {{{SAME}, inputs: [a], outputs: [c]}}\n"
    f"  n: {{{SAME}, inputs: [a], outputs: [b]}}\n  o: {{{SAME}, inputs: [c], when: $p}}\n",
    "a loop by an immediate node": HEAD
    + "  p: {calculator: PreviousLoopback, inputs: {MAIN: a, LOOP: {stream: b, back_edge: true}}, "
    "outputs: {PREV_LOOP: p}}\n"
    f"  n: {{{SAME}, inputs: [a, p], outputs: [b, _c]}}\n",
    "a loop between sync sets": HEAD
    + f"  n:\n    {SAME}\n    inputs: [a, {{stream: z, back_edge: true}}]\n    outputs: [b, y]\n"
    '    input_policy: {name: sync_sets, sync_set: [{tag_index: [":0"]}]}\n'
    f"  m: {{{SAME}, inputs: [y], outputs: [z]}}\n",
    "a parameter of many places": "params: {n: 1, w: true, q: 2}\n" + HEAD
    + f"  n: {{{SAME}, inputs: [a], outputs: [b], when: $w, queue_size: $q, max_in_flight: '${{n}}'}}\n",
}  # fmt: skip


def warnings(text: str) -> list[tuple[int, int, str]]:
    found = examine(text)
    assert not found.problems, found.problems
    assert all(warning.severity == "warning" for warning in found.warnings)
    return [(w.location.line, w.location.column, f"{w.message} | {w.hint}") for w in found.warnings]


def marked(text: str) -> tuple[str, list[tuple[int, int]]]:
    places = []
    while "«" in text:
        before, _, after = text.partition("«")
        places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        text = before + after
    return text, places


@pytest.mark.parametrize(("text", "essentials"), WARNINGS.values(), ids=WARNINGS)
def test_a_warning_is_at_its_place(graphs: Path, text: str, essentials: tuple[str, ...]) -> None:
    text, places = marked(text)
    found = warnings(text)
    assert [(line, column) for line, column, _ in found] == places, found
    for essential in essentials:
        assert any(essential in words for _, _, words in found), found


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_no_warning(graphs: Path, text: str) -> None:
    assert warnings(text) == []


STANDSTILLS = ("an input that waits for the node's own output", "the same in one sync set", "a queue behind it")


@pytest.mark.parametrize("name", [*STANDSTILLS, *(f"fine: {name}" for name in FINE if "loop" in name)])
def test_the_run_agrees(graphs: Path, name: str) -> None:
    text = FINE[name.removeprefix("fine: ")] if name.startswith("fine") else marked(WARNINGS[name][0])[0]
    graph = Graph(load(text))
    seen: list[Any] = []
    graph.observe("b", lambda packet: seen.append(packet.value))
    graph.start()
    for timestamp in range(3):
        graph.add_packet("a", "x", timestamp)
    graph.wait_until_idle()
    assert len(seen) == (3 if name.startswith("fine") else 0)
    graph.close_all_inputs()
    graph.wait_until_done()


@pytest.mark.parametrize("name", [*graph_names(), *module_names()])
def test_shipped_graphs_are_as_meant(name: str) -> None:
    params = read(name).params
    settings: list[Mapping[str, Any]] = [{}]
    settings += [{key: not default} for key, default in params.items() if isinstance(default, bool)]
    for params in settings:
        found = examine(name, params=params)
        assert (found.problems, found.warnings) == ((), ()), params


def test_a_subgraph_s_warning_says_where_the_graph_is_used(graphs: Path, tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(
        "graph: Inner\ninputs: [a]\noutputs: [b]\nnodes:\n"
        "  m: {calculator: PassThrough, inputs: [a], outputs: [b]}\n"
        "  n: {calculator: PassThrough, inputs: [a], outputs: [c]}\n"
    )
    (tmp_path / "outer.yaml").write_text(
        "inputs: [a]\noutputs: [c]\nnodes:\n  one: {calculator: Inner, inputs: [a], outputs: [b]}\n"
        "  two: {calculator: Inner, inputs: [b], outputs: [c]}\n"
    )
    [warning] = examine(tmp_path / "outer.yaml").warnings
    assert (Path(warning.location.file).name, warning.location.line) == ("inner.yaml", 6)
    assert [(use.node, use.graph, use.location.line) for use in warning.uses] == [("one", "Inner", 4)]


class _Emitting(Calculator):
    value = Input()
    again = Output()
    side = SideOutput("SIDE", int)
    table: ClassVar[dict[str, int]] = {}

    def process(self, context: Context) -> None: ...


class _Plain(_Emitting): ...


class _Loading(_Emitting):
    def open(self, context: Context) -> None:
        self.model = len(str(context))
        context[self.side] = 1
        context.emit(self.side, 2)


class _Setting(_Emitting):
    def open(self, context: Context) -> None:
        context[self.again] = 1


class _Bounding(_Emitting):
    def open(self, context: Context) -> None:
        self._begin(context)

    def _begin(self, context: Context) -> None:
        context.set_bound(self.again, 5)


class _Inherited(_Setting):
    def open(self, context: Context) -> None:
        super().open(context)


class _Unclear(_Emitting):
    def open(self, context: Context) -> None:
        for port in self.ports():
            context[port] = 1


@pytest.mark.parametrize(
    ("calculator", "expected"),
    [(_Plain, False), (_Loading, False), (_Setting, True), (_Bounding, True), (_Inherited, True), (_Unclear, True)],
)
def test_what_may_begin_a_loop_by_itself(calculator: type[Calculator], expected: bool) -> None:
    assert liveness._may_emit_in_open(calculator) is expected
