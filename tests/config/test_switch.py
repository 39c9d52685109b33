"""SwitchContainer: what it is laid open to, and what is wrong with one."""

from typing import Any

import pytest

from graphflow import GraphConfigError
from graphflow.config import expand, load, read

SWITCH = """\
params: {start: 1, factor: 3.0}
inputs: {VALUE: value, WHICH: which}
outputs: {RESULT: out}
nodes:
  choice:
    calculator: SwitchContainer
    inputs: {VALUE: value, SELECT: which}
    outputs: {RESULT: out}
    options: {select: $start}
    nodes:
      one: {calculator: "./calculators.py:Double"}
      other: {calculator: "./calculators.py:Double", options: {factor: $factor}}
"""

PBTXT = """\
input_stream: "VALUE:value"
input_stream: "WHICH:which"
output_stream: "RESULT:out"
node {
  name: "choice"
  calculator: "SwitchContainer"
  input_stream: "VALUE:value"
  input_stream: "SELECT:which"
  output_stream: "RESULT:out"
  options {
    [mediapipe.SwitchContainerOptions.ext] {
      select: 1
      contained_node { name: "one" calculator: "./calculators.py:Double" }
      contained_node {
        name: "other"
        calculator: "./calculators.py:Double"
        options { [mediapipe.DoubleOptions.ext] { factor: 3.0 } }
      }
    }
  }
}
"""


def laid_open(text: str, **options: Any) -> dict[str, tuple[list[str], list[str]]]:
    """For each node the connections in and out."""
    nodes = expand(read(text), **options).nodes
    return {
        node.name: (
            [str(ref) for ref in (*node.inputs, *node.side_inputs)],
            [str(ref) for ref in (*node.outputs, *node.side_outputs)],
        )
        for node in nodes
    }


@pytest.mark.parametrize("text", [SWITCH, PBTXT])
def test_a_switch_is_demux_nodes_and_mux(graphs: Any, text: str) -> None:
    assert laid_open(text) == {
        "choice/select_timing": (["INPUT:0:which", "TICK:0:value"], ["OUTPUT:0:choice/which_timed"]),
        "choice/demux": (
            ["SELECT:0:choice/which_timed", "VALUE:0:value"],
            ["C0__VALUE:0:choice/c0__value", "C1__VALUE:0:choice/c1__value"],
        ),
        "choice/one": (["VALUE:0:choice/c0__value"], ["RESULT:0:choice/c0__out"]),
        "choice/other": (["VALUE:0:choice/c1__value"], ["RESULT:0:choice/c1__out"]),
        "choice/mux": (
            ["SELECT:0:choice/which_timed", "C0__RESULT:0:choice/c0__out", "C1__RESULT:0:choice/c1__out"],
            ["RESULT:0:out"],
        ),
    }


@pytest.mark.parametrize("text", [SWITCH, PBTXT])
def test_values_reach_the_nodes_chosen_from(graphs: Any, text: str) -> None:
    options = {node.name: node.options for node in expand(read(text)).nodes}
    assert options["choice/other"] == {"factor": 3.0}
    assert options["choice/demux"] == options["choice/mux"] == {"select": 1}
    overrides = {"choice.select": 0, "choice/other.factor": 5.0}
    options = {node.name: node.options for node in expand(read(text), overrides=overrides).nodes}
    assert options["choice/other"] == {"factor": 5.0}
    assert options["choice/demux"] == {"select": 0}


def test_options_decide_what_waits_for_what(graphs: Any) -> None:
    def policies(options: str) -> list[str | None]:
        nodes = expand(read(SWITCH.replace("{select: $start}", options)), params={}).nodes
        named = {node.name: node.input_policy for node in nodes}
        chosen = (named[f"choice/{name}"] for name in ("select_timing", "demux", "mux"))
        return [policy.name if policy else None for policy in chosen]

    assert policies("{}") == ["default", None, None]
    assert policies("{async_selection: true}") == [None, None, None]
    assert policies("{synchronize_io: true}") == ["default", "default", None]


def test_named_streams_set_the_pace(graphs: Any) -> None:
    text = SWITCH.replace("VALUE: value, SELECT: which", "VALUE: value, MORE: [which, value], SELECT: which")
    found = laid_open(text.replace("{select: $start}", "{tick_input_stream: ['MORE:1']}"))
    assert found["choice/select_timing"][0] == ["INPUT:0:which", "TICK:0:value"]


def test_a_stream_may_go_in_and_out(graphs: Any) -> None:
    text = SWITCH.replace("inputs: {VALUE: value, SELECT", "inputs: {VALUE: {stream: out, back_edge: true}, SELECT")
    assert laid_open(text)["choice/one"] == (["VALUE:0:choice/c0__out"], ["RESULT:0:choice/c0__out_2"])


def test_a_switch_may_contain_switches_and_graphs(graphs: Any) -> None:
    inner = "{calculator: SwitchContainer, nodes: {deep: {calculator: Scale, options: {language: fr}}}}"
    text = SWITCH.replace('{calculator: "./calculators.py:Double"}', inner)
    found = laid_open(text)
    assert found["choice/one/demux"] == (["VALUE:0:choice/c0__value"], ["C0__VALUE:0:choice/one/c0__c0__value"])
    assert "choice/one/deep/join" in found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("select: $start", "selekt: 1", "SwitchContainer has no option 'selekt' | did you mean 'select'?"),
        ("select: $start", "select: $start, enable: true", "options 'select' and 'enable' exclude each other"),
        ("select: $start", "enable: 1", "option 'enable' must be true or false, not 1"),
        ("SELECT: which", "SELECT: which, ENABLE: which", "SELECT and ENABLE exclude each other"),
        ("one: {calculator", "one: {inputs: [value], calculator", "node 'one' has no 'inputs'"),
        ("SwitchContainer", "PassThrough", "'nodes' is for SwitchContainer"),
        ("options: {select", "executor: fast, options: {select", "'executor' is for calculators"),
        ("RESULT: out}\n    options", "WRONG: out}\n    options", "Double has no output 'WRONG'"),
        ("{factor: $factor}", "{factr: 1.0}", "Double has no option 'factr'"),
        ('"./calculators.py:Double"}', '"./calculators.py:Spell", options: {language: fr}}', "needs output 'TEXT'"),
    ],
)
def test_mistakes_are_found(graphs: Any, old: str, new: str, message: str) -> None:
    assert old in SWITCH
    text = SWITCH.replace(old, new, 1).replace("    options: {executor", "    executor")
    with pytest.raises(GraphConfigError) as caught:
        load(text.replace("executor: fast, options", "executor: fast\n    options"))
    assert any(message in f"{problem.message} | {problem.hint}" for problem in caught.value.problems)


def test_a_switch_needs_nodes(graphs: Any) -> None:
    with pytest.raises(GraphConfigError, match="SwitchContainer has no nodes to choose from"):
        load(SWITCH[: SWITCH.index("    nodes:\n      one")])


def test_what_goes_out_in_turn_is_of_one_type(graphs: Any) -> None:
    text = """\
inputs: {IN: value}
outputs: {OUT: out}
nodes:
  choice:
    calculator: SwitchContainer
    inputs: [value]
    outputs: [out]
    nodes:
      loud: {calculator: "./calculators.py:Shout"}
      cut: {calculator: "./calculators.py:Cut", options: {ranges: [{end: 1}]}}
"""
    with pytest.raises(GraphConfigError, match=r"C1__ carries list and C0__ str, but both go out as one stream"):
        load(text)


def test_types_pass_through_a_switch(graphs: Any) -> None:
    types = load(SWITCH).stream_types
    assert types["value"] is types["out"] is float
    assert types["which"] is int
