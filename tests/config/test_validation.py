"""What a checked graph tells the runtime: order, types, policies, connections."""

from pathlib import Path
from typing import Any

import pytest

from graphflow.config import load

DOUBLE = "{calculator: ./calculators.py:Double, inputs: {VALUE: IN}, outputs: {RESULT: OUT}}"


def double(name: str, read: str, made: str) -> str:
    return f"  {name}: {DOUBLE.replace('IN', read).replace('OUT', made)}\n"


def test_nodes_are_in_topological_order_and_otherwise_as_written(graphs: Path) -> None:
    text = (
        "inputs: [v]\nnodes:\n"
        + double("last", "c", "d")
        + double("second", "b", "c")
        + double("lonely", "v", "x")
        + double("first", "v", "b")
        + "  source: {calculator: ./calculators.py:Count, outputs: {NUMBER: n}}\n"
    )
    assert [node.spec.name for node in load(text).nodes] == ["source", "lonely", "first", "second", "last"]


def test_back_edges_do_not_order(graphs: Path) -> None:
    text = (
        "inputs: [v]\nnodes:\n"
        "  loop:\n    calculator: ./calculators.py:Previous\n"
        "    inputs: {MAIN: v, LOOP: {stream: back, back_edge: true}}\n    outputs: {PREVIOUS: p}\n"
        + double("work", "p", "back")
    )
    checked = load(text)
    assert [node.spec.name for node in checked.nodes] == ["loop", "work"]
    assert [(entry.tag, entry.back_edge) for entry in checked.nodes[0].binding.inputs] == [
        ("LOOP", True),
        ("MAIN", False),
    ]
    assert checked.stream_types == {"v": Any, "back": float, "p": float}


@pytest.mark.parametrize(
    ("nodes", "types"),
    [
        (double("n", "v", "o"), {"v": float, "o": float}),
        # against the stream, through a pass-through, to the graph's input; and on to its other outputs
        (
            "  p: {calculator: ./calculators.py:Same, inputs: [v, w], outputs: [q, r]}\n" + double("n", "r", "o"),
            {"v": Any, "w": float, "q": Any, "r": float, "o": float},
        ),
        (
            "  p: {calculator: ./calculators.py:Same, inputs: [v], outputs: [q]}\n"
            "  s: {calculator: ./calculators.py:Shout, inputs: [v], outputs: [o]}\n",
            {"v": str, "q": str, "o": str},
        ),
        # all branches of one input
        (
            double("n", "v", "m") + "  b: {calculator: ./calculators.py:Branch, inputs: [m], outputs: [o, q]}\n",
            {"v": float, "m": float, "o": float, "q": float},
        ),
    ],
)
def test_types_of_streams(nodes: str, types: dict[str, Any], graphs: Path) -> None:
    inputs = "[v, w]" if "w" in types else "[v]"
    assert load(f"inputs: {inputs}\nnodes:\n{nodes}").stream_types == types


def test_connections_are_sorted_by_tag_and_index(graphs: Path) -> None:
    text = (
        "inputs: [a]\nnodes:\n  n:\n    calculator: ./calculators.py:Same\n"
        "    inputs: [B:1:a, a, A:a, B:0:a, a]\n    outputs: [A:0:x, B:0:y]\n"
    )
    (node,) = load(text).nodes
    assert [str(entry) for entry in node.binding.inputs] == ["a", "a", "A:0:a", "B:0:a", "B:1:a"]
    assert [entry.index for entry in node.binding.inputs] == [0, 1, 0, 0, 1]


def test_an_output_may_be_left_unconnected(graphs: Path) -> None:
    text = (
        "inputs: [a]\nnodes:\n  n:\n    calculator: ./calculators.py:Cut\n    inputs: [a]\n"
        "    outputs: [null, second]\n"
        "    options: {ranges: {end: 1}}\n"
    )
    (node,) = load(text).nodes
    assert [(entry.index, entry.name) for entry in node.binding.outputs] == [(1, "second")]


@pytest.mark.parametrize(
    ("head", "calculator", "own", "policy"),
    [
        ("", "Double", "", "default"),
        ("input_policy: barrier\n", "Double", "", "barrier"),
        ("", "Offset", "", "immediate"),
        ("input_policy: barrier\n", "Offset", "", "immediate"),
        ("input_policy: barrier\n", "Offset", "    input_policy: default\n", "default"),
    ],
)
def test_the_node_s_policy_beats_the_calculator_s_beats_the_graph_s(
    head: str, calculator: str, own: str, policy: str, graphs: Path
) -> None:
    side = "    side_inputs: {OFFSET: s}\n" if calculator == "Offset" else ""
    text = (
        f"{head}inputs: [a]\nside_inputs: [s]\nnodes:\n  n:\n    calculator: ./calculators.py:{calculator}\n"
        f"    inputs: {{VALUE: a}}\n    outputs: {{RESULT: b}}\n{side}{own}"
    )
    assert load(text).nodes[0].input_policy.name == policy


def test_optional_and_repeated_ports(graphs: Path) -> None:
    node_text = "{calculator: ./calculators.py:Join, inputs: {VALUE: [a, a, a]}, outputs: {TOTAL: t}}"
    text = f"inputs: [a]\nnodes: {{n: {node_text}}}\n"
    (node,) = load(text).nodes
    assert {port.tag: slots for port, slots in node.binding.slots.items()} == {"VALUE": (0, 1, 2), "TOTAL": (0,)}


def test_side_packets_order_nodes(graphs: Path) -> None:
    text = (
        "nodes:\n"
        "  b: {calculator: ./calculators.py:Settle, side_inputs: {GIVEN: one}, side_outputs: {MADE: two}}\n"
        "  a: {calculator: ./calculators.py:Settle, side_outputs: {MADE: one}}\n"
    )
    assert [node.spec.name for node in load(text).nodes] == ["a", "b"]
