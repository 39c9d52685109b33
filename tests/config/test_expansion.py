"""Subgraphs, parameters, `when`, overrides."""

from pathlib import Path
from typing import Any

import pytest

from graphflow import GraphConfigError
from graphflow.config import check, expand, load, read
from graphflow.config.spec import GraphSpec, NodeSpec

USER = """\
params: {{factor: 10, language: fr, spelled: true, twice: false, price: 5}}
inputs: {{VALUE: value}}
outputs: {{RESULT: out}}
nodes:
  outer:
    calculator: Scale
    inputs: {{VALUE: value}}
    outputs: {{RESULT: doubled{text}}}
    options: {{factor: $factor, language: "${{language}}_$factor costs $$$price", spelled: $spelled}}
  again:
    when: $twice
    calculator: ./calculators.py:Double
    inputs: {{VALUE: doubled}}
    outputs: {{RESULT: out}}
  once:
    when: not $twice
    calculator: ./calculators.py:Same
    inputs: [doubled]
    outputs: [out]
"""
PLAIN = USER.format(text="")


def nodes(spec: GraphSpec) -> dict[str, NodeSpec]:
    return {node.name: node for node in spec.nodes}


def expanded(text: str, **options: Any) -> dict[str, NodeSpec]:
    return nodes(expand(read(text), **options))


def names(refs: Any) -> list[str]:
    return [str(ref) for ref in refs]


def test_a_subgraph_s_nodes_take_its_place(graphs: Path) -> None:
    found = expanded(PLAIN)
    assert list(found) == ["outer/double", "outer/join", "outer/spell", "once"]
    assert names(found["outer/double"].inputs) == ["VALUE:0:value"]
    # inside and outside both say `doubled`, and mean different streams
    assert names(found["outer/double"].outputs) == ["RESULT:0:outer/doubled"]
    assert names(found["outer/join"].inputs) == ["VALUE:0:outer/doubled"]
    assert names(found["outer/join"].outputs) == ["TOTAL:0:doubled"]
    assert names(found["outer/spell"].outputs) == ["TEXT:0:outer/text"]
    assert found["outer/double"].location.file == "scale.yaml"


def test_unconnected_inputs_vanish_from_the_nodes_inside(graphs: Path) -> None:
    join = expanded(PLAIN)["outer/join"]
    assert names(join.inputs) == ["VALUE:0:outer/doubled"]
    assert join.unconnected == {"BIAS": "'bias' comes into outer, which leaves it unconnected"}


def test_a_calculator_is_preferred_to_a_graph_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("graph: PassThrough\nnodes: {}\n")
    assert list(expanded("nodes: {n: {calculator: PassThrough}}\n")) == ["n"]


def test_names_nest(graphs: Path) -> None:
    text = (
        "inputs: {VALUE: v}\nnodes:\n"
        "  top: {calculator: Nested, inputs: {VALUE: v}, outputs: {RESULT: r}, options: {language: de}}\n"
    )
    found = expanded(text)
    assert list(found) == ["top/inner/double", "top/inner/join", "top/inner/spell"]
    assert names(found["top/inner/double"].outputs) == ["RESULT:0:top/inner/doubled"]
    assert names(found["top/inner/join"].outputs) == ["TOTAL:0:r"]
    assert found["top/inner/spell"].options == {"language": "de-5"}
    assert [node.spec.name for node in load(text).nodes] == list(found)


@pytest.mark.parametrize(
    ("params", "overrides", "factor", "language", "last"),
    [
        ({}, {}, 10, "fr_10 costs $5-10", "once"),
        ({"factor": 4}, {}, 4, "fr_4 costs $5-4", "once"),
        ({"factor": "4", "twice": "true"}, {}, 4, "fr_4 costs $5-4", "again"),
        ({"factor": 4}, {"factor": 6, "twice": True}, 6, "fr_6 costs $5-6", "again"),
        ({}, {"factor": 2.5}, 2.5, "fr_2.5 costs $5-2.5", "once"),
        # at the subgraph's node: its parameters; at a node inside: that node's options alone
        ({}, {"outer.factor": 7}, 7, "fr_10 costs $5-7", "once"),
        ({}, {"outer/double.factor": 8, "outer.language": "la"}, 8, "la-10", "once"),
    ],
)
def test_parameters_and_overrides(
    params: dict[str, Any], overrides: dict[str, Any], factor: float, language: str, last: str, graphs: Path
) -> None:
    found = expanded(PLAIN, params=params, overrides=overrides)
    assert found["outer/double"].options == {"factor": factor}
    assert found["outer/spell"].options == {"language": language}
    assert list(found)[-1] == last


def test_a_calculator_s_name_means_all_its_nodes(graphs: Path) -> None:
    found = expanded(PLAIN, params={"twice": True}, overrides={"outer/double.factor": 8, "Double.factor": 5})
    assert {name: node.options.get("factor") for name, node in found.items() if "Double" in node.calculator} == {
        "outer/double": 8,
        "again": 5,
    }
    with pytest.raises(GraphConfigError, match=r"override Duoble\.factor: no node 'Duoble'"):
        expanded(PLAIN, overrides={"Duoble.factor": 5})


def test_an_override_reaches_into_a_nested_option(graphs: Path) -> None:
    text = (
        "inputs: [a]\nnodes:\n  cut:\n    calculator: ./calculators.py:Cut\n    inputs: [a]\n    outputs: [b]\n"
        "    options: {ranges: {begin: 1, end: 2}}\n"
    )
    checked = load(text, overrides={"cut.ranges.end": 5})
    assert [(entry.begin, entry.end) for entry in checked.nodes[0].new_calculator().ranges] == [(1, 5)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"factr": 1}, "override factr: graph has no parameter 'factr' — did you mean 'factor'?"),
        ({"outr.factor": 1}, "override outr.factor: no node 'outr' — did you mean 'outer'?"),
        ({"double.factor": 1}, "override double.factor: no node 'double' — did you mean 'outer/double'?"),
        ({"outer/double.facter": 1}, "override outer/double.facter: node 'outer/double': Double has no option 'facter' "
                                     "— did you mean 'factor'?"),
        ({"outer.facter": 1}, "override outer.facter: Scale has no parameter 'facter' — did you mean 'factor'?"),
        ({"outer/double.factor": "x"}, "override outer/double.factor: node 'outer/double': option 'factor': input"),
        ({"twice": "maybe"}, "override twice: parameter 'twice' of graph must be true or false, not 'maybe'"),
    ],
)  # fmt: skip
def test_wrong_overrides(overrides: dict[str, Any], message: str, graphs: Path) -> None:
    with pytest.raises(GraphConfigError) as caught:
        load(PLAIN, overrides=overrides)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(message)


def test_an_override_of_a_node_left_out_is_no_mistake(graphs: Path) -> None:
    assert len(load(PLAIN, overrides={"again.factor": 3}).nodes) == 4


def test_wrong_params_name_their_source(graphs: Path) -> None:
    with pytest.raises(GraphConfigError) as caught:
        load(PLAIN, params={"factr": 1})
    assert str(caught.value) == "parameter factr: graph has no parameter 'factr' — did you mean 'factor'?"


def test_a_stream_left_out_is_not_connected_anywhere(graphs: Path) -> None:
    text = (
        "params: {biased: true}\ninputs: {VALUE: v}\noutputs: {TOTAL: total, BIAS: bias}\nnodes:\n"
        "  bias: {when: $biased, calculator: ./calculators.py:Count, outputs: {NUMBER: bias}}\n"
        "  join: {calculator: ./calculators.py:Join, inputs: {VALUE: v, BIAS: bias}, outputs: {TOTAL: total}}\n"
    )
    with_bias, without = load(text), load(text, params={"biased": False})
    assert names(with_bias.nodes[-1].spec.inputs) == ["VALUE:0:v", "BIAS:0:bias"]
    assert names(with_bias.spec.outputs) == ["TOTAL:0:total", "BIAS:0:bias"]
    assert [node.spec.name for node in without.nodes] == ["join"]
    assert names(without.nodes[0].spec.inputs) == ["VALUE:0:v"]
    assert names(without.spec.outputs) == ["TOTAL:0:total"]


def test_untagged_inputs_close_up_and_tagged_ones_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    body = "inputs: {A: a, B: b}\nnodes:\n  same: {calculator: PassThrough, inputs: INPUTS}\n"
    (tmp_path / "untagged.yaml").write_text("graph: Untagged\n" + body.replace("INPUTS", "[a, b]"))
    (tmp_path / "tagged.yaml").write_text("graph: Tagged\n" + body.replace("INPUTS", "{T: [a, b]}"))
    text = "inputs: [x]\nnodes:\n  n: {calculator: NAME, inputs: {B: x}}\n"
    assert names(expanded(text.replace("NAME", "Untagged"))["n/same"].inputs) == ["x"]
    assert expanded(text.replace("NAME", "Untagged"))["n/same"].inputs[0].index == 0
    assert names(expanded(text.replace("NAME", "Tagged"))["n/same"].inputs) == ["T:1:x"]


def test_a_back_edge_goes_on_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside.yaml").write_text(
        "graph: Inside\ninputs: {BACK: b}\noutputs: {OUT: o}\n"
        "nodes:\n  same: {calculator: PassThrough, inputs: [b], outputs: [o]}\n"
    )
    text = "nodes:\n  n: {calculator: Inside, inputs: {BACK: {stream: x, back_edge: true}}, outputs: {OUT: x}}\n"
    assert expanded(text)["n/same"].inputs[0].back_edge


SUBGRAPH_PROBLEMS = {
    "endless": ("graph Endless contains itself", "Endless -> Endless", "endless.yaml:6:17"),
    "hollow": ("no node of Hollow produces its output 'resul'", "did you mean 'result'", "hollow.yaml:3:19"),
}


@pytest.mark.parametrize(("name", "essentials"), SUBGRAPH_PROBLEMS.items())
def test_problems_of_a_subgraph_are_reported_in_its_file(name: str, essentials: tuple[str, ...], graphs: Path) -> None:
    node = f"calculator: {name.capitalize()}, inputs: {{VALUE: v}}"
    twice = [f"  {one}: {{{node}, outputs: {{RESULT: {one}}}}}\n" for one in ("one", "two")]
    text = f"inputs: {{VALUE: v}}\nnodes:\n{''.join(twice)}"
    with pytest.raises(GraphConfigError) as caught:
        load(text)
    assert len(caught.value.problems) == 1, "used twice, wrong once"
    for essential in essentials:
        assert essential in str(caught.value)


def test_outputs_without_a_name_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside.yaml").write_text(
        "graph: Inside\ninputs: {IN: i}\noutputs: {SAME: i, ONE: o, TWO: o}\n"
        "nodes:\n  same: {calculator: PassThrough, inputs: [i], outputs: [o]}\n"
    )
    text = "inputs: [x]\nnodes:\n  n: {calculator: Inside, inputs: {IN: x}, outputs: {SAME: s, ONE: one, TWO: two}}\n"
    with pytest.raises(GraphConfigError) as caught:
        expand(read(text))
    assert [str(problem) for problem in caught.value.problems] == [
        "inside.yaml:3:17: 'i' of Inside is one of its inputs, which has no name of its own outside"
        " — give it one with a PassThrough node",
        "inside.yaml:3:33: 'o' of Inside is two of its outputs, which has no name of its own outside"
        " — give it one with a PassThrough node",
    ]


def test_the_policy_of_a_graph_does_not_reach_into_its_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside.yaml").write_text("graph: Inside\ninput_policy: immediate\nnodes: {}\n")
    with pytest.raises(GraphConfigError, match=r"inside\.yaml:2:15: the input policy of graph Inside"):
        expand(read("nodes: {n: {calculator: Inside}}\n"))


def test_executors_of_subgraphs_come_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inside.yaml").write_text(
        "graph: Inside\nparams: {threads: 2}\nnodes: {}\n"
        "executors: {heavy: {num_threads: $threads}, own: {num_threads: 1}}\n"
    )
    outer = expand(read("executors: {heavy: {num_threads: 8}}\nnodes: {n: {calculator: Inside}}\n"))
    assert [(executor.name, executor.num_threads) for executor in outer.executors] == [("heavy", 8), ("own", 1)]
    alone = expand(read("nodes: {n: {calculator: Inside, options: {threads: 5}}}\n"))
    assert [(executor.name, executor.num_threads) for executor in alone.executors] == [("heavy", 5), ("own", 1)]


def test_numbers_may_be_parameters(graphs: Path) -> None:
    text = (
        "params: {threads: 3, flight: 2}\nnum_threads: $threads\ninputs: [a]\nnodes:\n"
        "  n: {calculator: ./calculators.py:Same, inputs: [a], outputs: [b], max_in_flight: $flight}\n"
    )
    spec = expand(read(text), params={"threads": 5})
    assert (spec.num_threads, spec.nodes[0].max_in_flight) == (5, 2)
    assert check(spec).spec.num_threads == 5
