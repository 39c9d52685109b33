"""Options that nodes take from their graph: `option_value` and `graph_options`, `options_from` and `params`."""

from pathlib import Path
from typing import Any

import pytest

from graphflow import GraphConfigError
from graphflow.config import expand, load, read
from graphflow.config.option_values import merged, parse_option_value, with_option_values

INNER = """\
type: "Inner"
graph_options {
  [type.googleapis.com/mediapipe.InnerOptions] { factor: 2.0 range { low: 1 } }
}
node {
  name: "whole"
  calculator: "Deeper"
  node_options { [type.googleapis.com/mediapipe.InnerOptions] { kept: 1 factor: 9.0 } }
  option_value: "OPTIONS:options"
}
node {
  name: "fields"
  calculator: "./calculators.py:Double"
  options { [mediapipe.DoubleOptions.ext] { mode: FAST nested { a: 1 b: 2 } cleared: 5 } }
  option_value: "factor:options/factor"
  option_value: "OPTIONS/nested/a:OPTIONS/options/range/low"
  option_value: "cleared:not_set"
}
"""
YAML_INNER = """\
graph: Inner
params: {factor: 2.0, range: {low: 1}, not_set: null, "*": null}
nodes:
  whole:
    calculator: Deeper
    options: {kept: 1, factor: 9.0}
    options_from: {"*": "*"}
  fields:
    calculator: ./calculators.py:Double
    options: {mode: FAST, nested: {a: 1, b: 2}, cleared: 5}
    options_from: {factor: factor, nested.a: range.low, cleared: not_set}
"""
OUTER = """\
node {
  name: "inner"
  calculator: "Inner"
  options { [mediapipe.InnerOptions.ext] { factor: 3.0 extra: "x" } }
}
"""
YAML_OUTER = "nodes: {inner: {calculator: Inner, options: {factor: 3.0, extra: x}}}\n"


@pytest.mark.parametrize("inner", [("inner.pbtxt", INNER), ("inner.yaml", YAML_INNER)])
@pytest.mark.parametrize(
    ("outer", "factor", "extra"),
    [
        (OUTER, 3.0, {"extra": "x"}),
        (YAML_OUTER, 3.0, {"extra": "x"}),
        ('node { name: "inner" calculator: "Inner" }\n', 2.0, {}),
        ("nodes: {inner: {calculator: Inner}}\n", 2.0, {}),
    ],
)
def test_options_come_from_the_graph(
    tmp_path: Path, inner: tuple[str, str], outer: str, factor: float, extra: dict[str, str]
) -> None:
    (tmp_path / inner[0]).write_text(inner[1])
    nodes = expand(read(outer), graph_path=[tmp_path]).nodes
    options = {node.name: node.options for node in nodes}
    assert options["inner/whole"] == {"kept": 1, "factor": factor, "range": {"low": 1}, **extra}
    assert options["inner/fields"] == {"mode": "FAST", "nested": {"a": 1, "b": 2}, "factor": factor}


def test_the_top_graph_has_options_too(graphs: Any) -> None:
    spec = expand(read(INNER.replace('"Deeper"', '"./calculators.py:Double"')), params={"factor": 5.0})
    assert [node.options["factor"] for node in spec.nodes] == [5.0, 5.0]


def test_a_graph_without_options_leaves_those_of_its_nodes(graphs: Any) -> None:
    text = INNER.replace(INNER[INNER.index("graph_options") : INNER.index("node {")], "")
    fields = expand(read(text)).nodes[1]
    assert fields.options == {"mode": "FAST", "nested": {"a": 1, "b": 2}, "cleared": 5}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a:b", ("a", "b")),
        ("a:options/b", ("a", "b")),
        ("OPTIONS/a/0/b:options/c", ("a.0.b", "c")),
        ("OPTIONS:options", ("*", "*")),
        ("Ext::mediapipe.X/a:options/Ext::mediapipe.Y/b", ("a", "b")),
        ("a", None),
        ("a:b:c", None),
    ],
)
def test_what_an_option_value_says(text: str, expected: tuple[str, str] | None) -> None:
    assert parse_option_value(text) == expected


@pytest.mark.parametrize(
    ("options", "values", "parameters", "expected"),
    [
        ({"a": 1}, {"a": "b"}, {"b": 2}, {"a": 2}),
        ({"a": 1}, {"a": "b"}, {"c": 2}, {}),
        ({"a": 1}, {"a": "b"}, {}, {"a": 1}),
        ({}, {"a.x": "b"}, {"b": 2}, {"a": {"x": 2}}),
        ({"a": [1, 2]}, {"a": "b"}, {"b": [3]}, {"a": [3]}),
        ({"a": {"x": 1, "y": 1}}, {"a": "b"}, {"b": {"x": 2}}, {"a": {"x": 2, "y": 1}}),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a.1.x": "b"}, {"b": 5}, {"a": [{"x": 1}, {"x": 5}]}),
        ({"a": {"x": 1}}, {"a.0.x": "b"}, {"b": 5}, {"a": [{"x": 5}]}),
        ({"a": [1]}, {"a.7": "b"}, {"b": 5}, {"a": [1, 5]}),
        ({}, {"a": "b.1"}, {"b": [3, 4]}, {"a": 4}),
        ({}, {"a": "b.9"}, {"b": [3, 4]}, {}),
        ({}, {"a": "b.c"}, {"b": 3}, {}),
        ({"k": 1}, {"*": "b"}, {"b": {"x": 2}}, {"k": 1, "x": 2}),
        ({"k": 1}, {"*": "b"}, {"b": 7}, {"k": 1}),
        ({}, {"a": "*"}, {"b": 7, "c": None}, {"a": {"b": 7}}),
    ],
)
def test_values_take_their_places(
    options: dict[str, Any], values: dict[str, str], parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    before = repr(options)
    assert with_option_values(options, values, parameters) == expected
    assert repr(options) == before


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(1, 2, 2), ([1], 2, [1, 2]), (1, [2], [1, 2]), ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}})],
)
def test_merged(one: Any, other: Any, expected: Any) -> None:
    assert merged(one, other) == expected


def test_a_parameter_that_is_not_there_is_reported(graphs: Any) -> None:
    text = "params: {size: 1}\nnodes:\n  a: {calculator: Gate, options_from: {allow: sise}}\n"
    with pytest.raises(GraphConfigError, match=r"3:39: no parameter 'sise' — did you mean 'size'"):
        load(text)


FOREIGN = [
    ("GateCalculator", "options { [mediapipe.MergeCalculatorOptions.ext] { x: 1 } }", {}),
    ("GateCalculator", "options { [mediapipe.SplitVectorCalculatorOptions.ext] { x: 1 } }", {}),
    ("SplitFloatVectorCalculator", "options { [mediapipe.GateCalculatorOptions.ext] { x: 1 } }", {}),
    ("SplitFloatVectorCalculator", "options { [mediapipe.SplitFloatVectorCalculatorOptions.ext] { x: 1 } }", {"x": 1}),
    (
        "GateCalculator",
        "options { [mediapipe.MergeCalculatorOptions.ext] { x: 1 } } "
        "node_options { [type.googleapis.com/mediapipe.GateCalculatorOptions] { x: 2 } }",
        {"x": 2},
    ),
    ("GateCalculator", "options { [mediapipe.OwnOptions.ext] { x: 1 } }", {"x": 1}),
    ("MyGraph", "options { [mediapipe.MyOptions.ext] { x: 1 } }", {"x": 1}),
]


@pytest.mark.parametrize(("calculator", "options", "expected"), FOREIGN)
def test_options_of_another_calculator_are_not_looked_at(
    calculator: str, options: str, expected: dict[str, int]
) -> None:
    (node,) = read(f'node {{ calculator: "{calculator}" {options} }}').nodes
    assert node.options == expected
