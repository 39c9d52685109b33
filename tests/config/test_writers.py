"""Graphs written as YAML and as pbtxt: they mean the same when they are read again."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conformance.comparison import load_comparison
from conformance.driver import run_case

from graphflow import GraphConfigError
from graphflow.config import expand, graph_names, load, module_names, read
from graphflow.config.pbtxt_reader import read_pbtxt
from graphflow.config.pbtxt_writer import write_pbtxt
from graphflow.config.spec import GraphSpec, NodeSpec, StreamRef
from graphflow.config.validation import with_undeclared_side_inputs
from graphflow.config.yaml_reader import read_yaml
from graphflow.config.yaml_writer import write_yaml
from graphflow.errors import Problem

Reader = Callable[[str, str, str, list[Problem]], GraphSpec]


def as_pbtxt(spec: GraphSpec) -> str:
    problems: list[Problem] = []
    text = write_pbtxt(spec, problems)
    assert problems == []
    return text


def again(reader: Reader, text: str) -> GraphSpec:
    problems: list[Problem] = []
    spec = reader(text, "again", "", problems)
    assert problems == [], text
    return spec


def meaning(spec: GraphSpec) -> GraphSpec:
    """The graph without what the formats name differently: nodes by number, connections in order of their tags."""

    def in_order(refs: tuple[StreamRef, ...]) -> tuple[StreamRef, ...]:
        return tuple(sorted(refs, key=lambda ref: (ref.tag, ref.index)))

    def node(entry: NodeSpec, number: int) -> NodeSpec:
        return replace(
            entry,
            name=str(number),
            calculator=entry.calculator.removesuffix("Calculator"),
            inputs=in_order(entry.inputs),
            outputs=in_order(entry.outputs),
            side_inputs=in_order(entry.side_inputs),
            side_outputs=in_order(entry.side_outputs),
            contained=tuple(node(inner, position) for position, inner in enumerate(entry.contained)),
        )

    return replace(
        spec,
        syntax="yaml",
        inputs=in_order(spec.inputs),
        outputs=in_order(spec.outputs),
        side_inputs=in_order(spec.side_inputs),
        side_outputs=in_order(spec.side_outputs),
        nodes=tuple(node(entry, number) for number, entry in enumerate(spec.nodes)),
    )


def unlisted(value: Any) -> Any:
    """Options as pbtxt has them: a list of one item is that item, a mapping from numbers a list of pairs."""
    if isinstance(value, dict) and any(key.isdigit() for key in value):
        value = [{"key": int(key), "value": entry} for key, entry in value.items()]
    if isinstance(value, dict):
        return {name: unlisted(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return unlisted(value[0]) if len(value) == 1 else [unlisted(entry) for entry in value]
    return value


def recorded(shared: Path) -> list[dict[str, Any]]:
    """The cases whose graph can be read."""
    found = []
    for path in sorted((shared / "conformance/framework/cases").glob("*.json")):
        case = json.loads(path.read_text())
        try:
            read(case["graph"])
        except GraphConfigError:
            continue
        found.append(case)
    return found


def test_recorded_graphs_survive_the_way_there_and_back(shared: Path) -> None:
    cases = recorded(shared)
    assert len(cases) >= 250
    for case in cases:
        spec = read(case["graph"])
        written = again(read_yaml, write_yaml(spec))
        produced = {ref.name for ref in spec.inputs} | {ref.name for node in spec.nodes for ref in node.outputs}
        explicit = with_undeclared_side_inputs(spec)
        if all(ref.name in produced for ref in spec.outputs):
            assert meaning(written) == meaning(explicit), case["name"]
        assert meaning(again(read_pbtxt, as_pbtxt(written))) == meaning(written), case["name"]
        assert meaning(again(read_pbtxt, as_pbtxt(spec))) == meaning(spec), case["name"]


def test_recorded_cases_hold_from_yaml(shared: Path) -> None:
    compare = load_comparison(shared / "conformance/framework")
    for case in recorded(shared)[::6]:
        text = write_yaml(read(case["graph"]))
        assert compare(case, run_case({**case, "graph": text}), bounds=True) == [], case["name"]


@pytest.mark.parametrize("name", [*graph_names(), *module_names()])
def test_shipped_graphs_survive(name: str) -> None:
    spec = read(name)
    assert again(read_yaml, write_yaml(spec)) == spec
    problems: list[Problem] = []
    text = write_pbtxt(spec, problems)
    if problems:
        assert all("when" in problem.message or "'ForEach'" in problem.message for problem in problems)
        return
    back = again(read_yaml, write_yaml(again(read_pbtxt, text)))
    # parameters take the way of option values; laid open nothing of that is left
    expanded, returned = (expand(graph).nodes for graph in (spec, back))
    assert [(node.calculator.removesuffix("Calculator"), unlisted(node.options)) for node in expanded] == [
        (node.calculator.removesuffix("Calculator"), unlisted(node.options)) for node in returned
    ]


@pytest.mark.parametrize("name", ["holistic", "PoseLandmarkFiltering"])
def test_an_expanded_graph_can_be_read_again(name: str) -> None:
    expanded = expand(read(name))
    back = load(write_yaml(expanded, expanded=True))
    assert [(node.name.replace("/", "__"), node.options) for node in expanded.nodes] == [
        (node.name, node.options) for node in back.spec.nodes
    ]


PBTXT = """\
# What it is for.
type: "All"
input_stream: "A:a"
input_stream: "B:0:b"
input_stream: "B:1:c"
input_side_packet: "s"
output_stream: "o"
num_threads: 2
max_queue_size: 7
report_deadlock: true
executor {
  name: "heavy"
  type: "ThreadPoolExecutor"
  options {
    [mediapipe.ThreadPoolExecutorOptions.ext] {
      num_threads: 3
    }
  }
}
input_stream_handler {
  input_stream_handler: "FixedSizeInputStreamHandler"
  options {
    [mediapipe.FixedSizeInputStreamHandlerOptions.ext] {
      trigger_queue_size: 4
    }
  }
}
graph_options {
  [type.googleapis.com/mediapipe.AllOptions] {
    size: 3
  }
}

node {
  name: "detect"
  calculator: "ImageToTensorCalculator"
  input_stream: "X:0:a"
  input_stream: "X:1:b"
  input_side_packet: "S:s"
  output_stream: "o"
  input_stream_info {
    tag_index: "X:1"
    back_edge: true
  }
  executor: "heavy"
  max_in_flight: 2
  source_layer: 1
  options {
    [mediapipe.ImageToTensorCalculatorOptions.ext] {
      border_mode: BORDER_ZERO
      output_tensor_float_range {
        min: -1.0
        max: 1e-05
      }
      label: "a \\"word\\", 5$\\n\\001\\\\"
      items: 1
      items: 2
      empty {}
      on: true
      big: inf
    }
  }
  option_value: "output_tensor_width:options/size"
  option_value: "OPTIONS:options"
}
"""

YAML = """\
graph: All
params: {size: 3, '*': null}
inputs:
  A: a
  B: [b, c]
side_inputs: [s]
outputs: [o]
num_threads: 2
max_queue_size: 7
report_deadlock: true
executors: {heavy: {num_threads: 3, type: ThreadPoolExecutor}}
input_policy: {name: fixed_size, trigger_queue_size: 4}
nodes:
  detect:
    calculator: ImageToTensor
    inputs: {X: [a, {stream: b, back_edge: true}]}
    side_inputs: {S: s}
    outputs: [o]
    options:
      border_mode: BORDER_ZERO
      output_tensor_float_range: {min: -1.0, max: 1.0e-05}
      label: "a \\"word\\", 5$$\\n\\x01\\\\"
      items: [1, 2]
      empty: {}
      on: true
      big: .inf
    options_from: {output_tensor_width: size, '*': '*'}
    executor: heavy
    max_in_flight: 2
    source_layer: 1
"""


def test_everything_a_graph_can_say_in_both() -> None:
    assert meaning(read(PBTXT)) == meaning(replace(read(YAML), nodes=_literal(read(YAML))))
    spec = read(PBTXT)
    assert write_yaml(spec).splitlines()[0] == "graph: All"
    assert meaning(again(read_yaml, write_yaml(spec))) == meaning(read(YAML))
    assert as_pbtxt(spec) == PBTXT.removeprefix("# What it is for.\n")
    assert meaning(again(read_pbtxt, as_pbtxt(read(YAML)))) == meaning(spec)


def _literal(spec: GraphSpec) -> tuple[NodeSpec, ...]:
    (node,) = spec.nodes
    label = node.options["label"].replace("$$", "$")
    return (replace(node, options={**node.options, "label": label}),)


def test_parameters_become_option_values() -> None:
    text = """\
graph: Inner
doc: What it is for.
params: {low: 0.5, size: 3}
nodes:
  n:
    doc: A node.
    calculator: Thresholding
    options: {threshold: $low, range: {min: "${size}", max: 2}}
"""
    written = as_pbtxt(read(text))
    assert written.startswith("# What it is for.\ntype: ")
    assert "\n# A node.\nnode {" in written
    assert 'calculator: "ThresholdingCalculator"' in written
    assert 'option_value: "threshold:options/low"\n  option_value: "range/min:options/size"' in written
    (node,) = expand(again(read_pbtxt, written), params={"size": 4}).nodes
    assert node.options == {"threshold": 0.5, "range": {"min": 4, "max": 2}}


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("when: $p", "'when: $p'"),
        ("queue_size: 3", "'queue_size' of one node"),
        ("max_in_flight: $p", "'max_in_flight: $p'"),
        ('options: {text: "a $p"}', "a parameter inside 'a $p'"),
        ("options: {list: [$p]}", "a parameter inside '$p'"),
        ("options: {list: [[1]]}", "option 'list', a list of lists,"),
        ("executor: $p", "a parameter inside '$p'"),
    ],
)
def test_what_pbtxt_has_no_words_for_is_reported(line: str, what: str) -> None:
    text = f"params: {{p: 1}}\nnodes:\n  n:\n    calculator: Gate\n    {line}\n"
    problems: list[Problem] = []
    write_pbtxt(read(text), problems)
    assert [problem.message for problem in problems] == [f"{what} cannot be written as pbtxt"]
    assert problems[0].location.line == 5


def test_text_is_quoted_and_enum_values_are_not() -> None:
    text = "nodes: {n: {calculator: Inference, options: {model: FULL, unknown: FULL}}}\n"
    written = as_pbtxt(read(text))
    assert 'model: "FULL"' in written
    assert "unknown: FULL" in written


def test_what_only_mediapipe_lets_pass_is_spelled_out() -> None:
    text = """\
output_stream: "nothing"
output_stream: "o"
node { calculator: "A" input_side_packet: "undeclared" output_stream: "o" }
node { calculator: "A" name: "Gate.2" }
node { calculator: "A" name: "2" }
"""
    spec = again(read_yaml, write_yaml(read(text)))
    assert [ref.name for ref in spec.outputs] == ["o"]
    assert spec.outputs[0].index == 0
    assert [ref.name for ref in spec.side_inputs] == ["undeclared"]
    assert [node.name for node in spec.nodes] == ["a", "gate_2", "node_2"]
