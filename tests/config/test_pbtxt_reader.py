"""MediaPipe's graphs as they are written, and mistakes in them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graphflow import GraphConfigError
from graphflow.config import load, read
from graphflow.config.library import find_graph
from graphflow.config.spec import ExecutorSpec, PolicySpec, StreamRef
from graphflow.errors import Problem

EVERYTHING = """\
# proto-file: calculator.proto
type: "Everything"
package: "example"
input_stream: "IMAGE:image" input_stream: ["DATA:first", "DATA:1:second"]
output_stream: "result"
input_side_packet: "SMOOTH:smooth"
output_side_packet: "DONE:done"
num_threads: 2
max_queue_size: -1
report_deadlock: true
executor {
  name: "heavy"
  type: "ThreadPoolExecutor" options { [mediapipe.ThreadPoolExecutorOptions.ext] { num_threads: 4 } }
}
input_stream_handler: { input_stream_handler: "ImmediateInputStreamHandler" }
node {
  name: "all"
  calculator: "ThingCalculator"
  input_stream: "image"
  input_stream: "MAIN:first"
  input_stream: "second"
  input_stream: "LOOP:1:result"
  input_stream: "LOOP:0:first"
  input_stream_info: { tag_index: "LOOP:1" back_edge: true }
  output_stream: "result"
  input_side_packet: "SMOOTH:smooth"
  output_side_packet: "DONE:done"
  node_options: { [type.googleapis.com/mediapipe.ThingCalculatorOptions] { size: 1 } }
  options: {
    [mediapipe.OtherCalculatorOptions.ext] { size: 2 }
    [mediapipe.ThingCalculatorOptions.ext] { size: 3 mode: FAST part { begin: 1 } part { begin: 2 } text: "$x" }
  }
  input_stream_handler {
    input_stream_handler: "FixedSizeInputStreamHandler"
    options { [mediapipe.FixedSizeInputStreamHandlerOptions.ext] { trigger_queue_size: 3 fixed_min_size: true } }
  }
  output_stream_handler { output_stream_handler: "InOrderOutputStreamHandler" }
  executor: "heavy"
  max_in_flight: 2
  source_layer: 1
  buffer_size_hint: 4
}
"""


def test_all_that_a_graph_can_say() -> None:
    graph = read(EVERYTHING)
    assert (graph.name, graph.syntax) == ("Everything", "pbtxt")
    assert graph.inputs == (
        StreamRef("IMAGE", 0, "image"), StreamRef("DATA", 0, "first"), StreamRef("DATA", 1, "second"),
    )  # fmt: skip
    assert graph.outputs == (StreamRef("", 0, "result"),)
    assert graph.side_inputs == (StreamRef("SMOOTH", 0, "smooth"),)
    assert graph.side_outputs == (StreamRef("DONE", 0, "done"),)
    assert (graph.num_threads, graph.max_queue_size, graph.report_deadlock) == (2, -1, True)
    assert graph.executors == (ExecutorSpec("heavy", 4, "ThreadPoolExecutor", graph.executors[0].location),)
    assert graph.input_policy == PolicySpec("immediate")
    (node,) = graph.nodes
    assert (node.name, node.calculator) == ("all", "ThingCalculator")
    assert node.inputs == (
        StreamRef("", 0, "image"),
        StreamRef("MAIN", 0, "first"),
        StreamRef("", 1, "second"),
        StreamRef("LOOP", 1, "result", back_edge=True),
        StreamRef("LOOP", 0, "first"),
    )
    assert node.options == {"size": 3, "mode": "FAST", "part": [{"begin": 1}, {"begin": 2}], "text": "$x"}
    (place,) = [(i, line.index("mode:")) for i, line in enumerate(EVERYTHING.splitlines()) if "mode:" in line]
    assert (node.option_locations["mode"].line - 1, node.option_locations["mode"].column - 1) == place
    assert node.input_policy == PolicySpec("fixed_size", {"trigger_queue_size": 3, "fixed_min_size": True})
    assert (node.executor, node.max_in_flight, node.source_layer) == ("heavy", 2, 1)


OPTIONS = [
    ("Gate", "options { [mediapipe.GateCalculatorOptions.ext] { x: 1 } }", {"x": 1}),
    ("GateCalculator", "options { [mediapipe.GateCalculatorOptions.ext] { x: 1 } }", {"x": 1}),
    ("GateCalculator", "node_options { [type.googleapis.com/mediapipe.GateCalculatorOptions] { x: 1 } }", {"x": 1}),
    ("SplitFloatVectorCalculator", "options { [mediapipe.SplitVectorCalculatorOptions.ext] { x: 1 } }", {"x": 1}),
    (
        "AlignmentPointsRectsCalculator",
        "options { [mediapipe.DetectionsToRectsCalculatorOptions.ext] { x: 1 } }",
        {"x": 1},
    ),
    (
        "GateCalculator",
        "options { [a.OtherOptions.ext] { x: 1 } [mediapipe.GateCalculatorOptions.ext] { x: 2 } }",
        {"x": 2},
    ),
    ("GateCalculator", "options { [a.OtherOptions.ext] { x: 1 } [a.ThirdOptions.ext] { x: 2 } }", {}),
    ("GateCalculator", "options { }", {}),
    ("GateCalculator", "", {}),
]


@pytest.mark.parametrize(("calculator", "options", "expected"), OPTIONS)
def test_which_options_are_the_calculator_s(calculator: str, options: str, expected: dict[str, int]) -> None:
    (node,) = read(f'node {{ calculator: "{calculator}" {options} }}').nodes
    assert node.options == expected


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ([("", "A"), ("", "B")], ["A", "B"]),
        ([("", "A"), ("", "A"), ("", "B")], ["A_1", "A_2", "B"]),
        ([("", "A"), ("A_1", "C"), ("", "A")], ["A_2", "A_1", "A_3"]),
        ([("x", "A"), ("x", "B")], ["x_1", "x_2"]),
    ],
)
def test_nodes_without_a_name(written: list[tuple[str, str]], names: list[str]) -> None:
    text = "\n".join(f'node {{ calculator: "{calculator}" name: "{name}" }}' for name, calculator in written)
    assert [node.name for node in read(text + "\n").nodes] == names


@pytest.mark.parametrize(
    ("handler", "policy"),
    [
        ("DefaultInputStreamHandler", "default"), ("SyncSetInputStreamHandler", "sync_sets"),
        ("BarrierInputStreamHandler", "barrier"), ("EarlyCloseInputStreamHandler", "early_close"),
        ("MuxInputStreamHandler", "mux"), ("TimestampAlignInputStreamHandler", "timestamp_align"),
    ],
)  # fmt: skip
def test_input_stream_handlers(handler: str, policy: str) -> None:
    text = f'node {{ calculator: "A" input_stream_handler {{ input_stream_handler: "{handler}" }} }}'
    assert read(text).nodes[0].input_policy == PolicySpec(policy)


def test_fields_left_out_or_zero_are_defaults() -> None:
    graph = read('type: "T" max_queue_size: 0 num_threads: 0 node { calculator: "A" max_in_flight: 0 }')
    assert (graph.max_queue_size, graph.num_threads, graph.nodes[0].max_in_flight) == (100, None, 1)


MISTAKES = {
    'input_stream: "a" «nodes { calculator: "A" }': ("a graph has no field 'nodes'", "did you mean 'node'"),
    'node { calculator: "PassThrough" «colour: 1 }': ("has no field 'colour'", "fields:"),
    'input_stream: "a" node { calculator: «': ("a value is expected, not 'the end'",),
    "«node { }": ("node 'node' has no calculator",),
    "«node: 3": ("'node' must be a message",),
    '«input_stream: "Abc"': ("'Abc' is no TAG:index:name", "VIDEO:2:frames"),
    "«input_stream: 3": ("3 is no TAG:index:name",),
    'type: "T" num_threads: 1 «num_threads: 2': ("'num_threads' is given twice",),
    'type: "T" «num_threads: "many"': ("'num_threads' must be a whole number, not 'many'",),
    'type: "T" num_threads: 1 «report_deadlock: 1': ("'report_deadlock' must be true or false",),
    'input_stream: "a" node { calculator: "PassThrough" input_stream: "a" output_stream: "b" '
    '«input_stream_info { tag_index: "NOPE" back_edge: true } }': ("names no input: 'NOPE'", "inputs: :0"),
    'node { calculator: "PassThrough" «option_value: "ab" }': ("'ab' is no NODE_FIELD:options/GRAPH_FIELD",),
    'node { calculator: "PassThrough" «output_stream_handler { output_stream_handler: "X" } }': (
        "output stream handler 'X'",
    ),
    'node { calculator: "PassThrough" input_stream_handler { «input_stream_handler: "NoSuchHandler" } }': (
        "unknown input policy 'NoSuchHandler'", "default, immediate, sync_sets",
    ),
    'type: "T" «num_threads: 2 executor { type: "ThreadPoolExecutor" '
    "options { [ThreadPoolExecutorOptions.ext] { num_threads: 1 } } }": (
        "keep one of them",
    ),
    'type: "T" «num_threads: -3': ("num_threads cannot be -3",),
    'input_stream: "a" node { calculator: "PassThrough" input_stream: "a" «input_stream: "c" '
    'output_stream: "b" output_stream: "c" }': (
        'input_stream_info { tag_index: ":1" back_edge: true }',
    ),
    'input_stream: "a" node { calculator: "PassThrough" input_stream: "T:a" «input_stream: "T:2:a" '
    'output_stream: "T:b" «output_stream: "T:2:c" }': ("input T:2 is connected but T:1 is not", "output T:2 is"),
    'input_stream: "a" node { calculator: "PassThrough" input_stream: "a" output_stream: "b" '
    '«input_stream_info { tag_index: "0" } }': ("names no input: '0'",),
    'input_stream: "a" node { calculator: "PassThrough" input_stream: "a" output_stream: "b" '
    'input_stream_info { tag_index: ":0" } «input_stream_info { tag_index: ":0" } }': ("a second input_stream_info",),
    '«executor { name: "x" }': ("executor 'x' has no type",),
    '«executor { name: "x" type: "NoExecutor" }': ("executor 'x' is of unknown type 'NoExecutor'",),
    '«executor { name: "x" type: "ApplicationThreadExecutor" }': ("of unknown type 'ApplicationThreadExecutor'",),
    '«executor { name: "x" type: "ThreadPoolExecutor" }': ("executor 'x' does not say how many threads it has",),
    'executor { type: "ApplicationThreadExecutor" } «executor { type: "ApplicationThreadExecutor" }': (
        "executor '' is declared twice",
    ),
    'type: "T" «num_threads: 99999999999': ("'num_threads' is out of range: 99999999999",),
    'node { calculator: "PassThrough" name: "x" «name: "y" }': ("'name' is given twice",),
    'node { calculator: "PassThrough" «name: 3 }': ("'name' must be text in quotes, not 3",),
    'node { calculator: "PassThrough" «option_value: "a:b" }': ("has no options to set by option_value",),
    'input_stream: "a" node { calculator: "GateCalculator" input_stream: "a" output_stream: "b" '
    'options { [mediapipe.GateCalculatorOptions.ext] { «allow: "yes" } } }': ("option 'allow' cannot be the text",),
    'input_stream: "a" node { calculator: "ThresholdingCalculator" input_stream: "FLOAT:a" output_stream: "FLAG:b" } '
    'node { calculator: "StringToInt" input_side_packet: "s" output_side_packet: "i" } '
    'node { calculator: "SplitFloatVectorCalculator" «input_stream: "a" output_stream: "c" '
    "options { [mediapipe.SplitVectorCalculatorOptions.ext] { ranges { begin: 0 end: 1 } } } }": (
        "untagged input 0 takes list[float], but stream 'a' carries float",
    ),
    'input_stream: "t" node { calculator: "ConstantSidePacketCalculator" output_side_packet: "PACKET:s" '
    'options { [mediapipe.ConstantSidePacketCalculatorOptions.ext] { packet { string_value: "x" } } } } '
    'node { calculator: "SidePacketToStreamCalculator" input_stream: "TICK:t" input_side_packet: "s" '
    'output_stream: "AT_TICK:q" } '
    'node { calculator: "ThresholdingCalculator" «input_stream: "FLOAT:q" output_stream: "FLAG:f" }': (
        "input FLOAT takes float, but stream 'q' carries str",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "essentials"), MISTAKES.items())
def test_a_mistake_is_reported_at_its_place(text: str, essentials: tuple[str, ...], mistakes: Callable) -> None:
    found, places = mistakes(text)
    assert sorted({(line, column) for line, column, _ in found}) == places, found
    for essential in essentials:
        assert any(essential in words for _, _, words in found), found


def test_what_mediapipe_lets_pass(graphs: Path) -> None:
    checked = load(
        'input_stream: "a" output_stream: "nope" node { calculator: "./calculators.py:Offset" '
        'input_stream: "VALUE:a" input_side_packet: "OFFSET:s" output_stream: "RESULT:o" }'
    )
    assert [str(ref) for ref in checked.spec.side_inputs] == ["s"]
    assert [str(ref) for ref in checked.spec.outputs] == ["nope"]


def test_a_pbtxt_graph_in_a_yaml_graph(graphs: Path) -> None:
    text = "inputs: [a]\nnodes:\n  n: {calculator: ScaleText, inputs: {VALUE: a}, outputs: {TEXT: t}}\n"
    (node,) = load(text).nodes
    assert node.spec.name == "n/./calculators.py:Spell"
    assert node.spec.options == {"language": "$ is a dollar"}


def _cases(shared: Path) -> list[Path]:
    found = sorted((shared / "conformance" / "framework" / "cases").glob("*.json"))
    assert len(found) > 200
    return found


def test_every_recorded_graph_is_understood(shared: Path) -> None:
    understood = 0
    for path in _cases(shared):
        case = json.loads(path.read_text())
        if case["expect"]["error"]:
            continue
        problems: list[Problem] = []
        spec = find_graph(case["graph"]).read(problems)
        assert problems == [], path.name
        assert spec.syntax == "pbtxt"
        understood += 1
    assert understood > 200


def test_every_recorded_refusal_is_ours_too(shared: Path) -> None:
    """Graphs that MediaPipe refuses; those of calculators that do not exist here prove nothing and are left out."""
    refused = 0
    for path in _cases(shared):
        case = json.loads(path.read_text())
        error = case["expect"]["error"]
        if not error or error["phase"] != "init":
            continue
        with pytest.raises(GraphConfigError) as caught:
            load(case["graph"])
        unknown = "unknown calculator" in str(caught.value)
        assert "cannot be loaded" not in str(caught.value), path.name
        refused += not unknown
    assert refused >= 17


PASSING = 'input_stream: "a" node { calculator: "PassThroughCalculator" input_stream: "a" output_stream: "b" %s }'


def test_what_means_nothing_to_mediapipe() -> None:
    immediate = 'input_stream_handler: "ImmediateInputStreamHandler"'
    foreign = "options { [mediapipe.FixedSizeInputStreamHandlerOptions.ext] { trigger_queue_size: 1 } }"
    (node,) = load(PASSING % f"input_stream_handler {{ {immediate} {foreign} }}").nodes
    assert (node.input_policy.name, node.input_policy.options) == ("immediate", {})
    assert load("max_queue_size: -2 " + PASSING % "").spec.max_queue_size == -1
    twice = load('input_side_packet: "s" input_side_packet: "s" ' + PASSING % "")
    assert [ref.name for ref in twice.spec.side_inputs] == ["s"]
    gate = 'input_stream: "a" node { calculator: "GateCalculator" input_stream: "a" output_stream: "b" %s }'
    (node,) = load(gate % "options { [mediapipe.GateCalculatorOptions.ext] { allow: t } }").nodes
    assert node.new_calculator().allow is True  # type: ignore[attr-defined]
