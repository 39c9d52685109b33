"""What the YAML reader understands, as it stands in the file."""

from pathlib import Path

import pytest

from graphflow.config import check, load, read
from graphflow.config.spec import ExecutorSpec, GraphSpec, PolicySpec, StreamRef
from graphflow.errors import Location
from graphflow.ports import REQUIRED

EVERYTHING = """\
graph: Everything
doc: All there is.
params:
  size: 3
  model:
  nothing: null
inputs: {IMAGE: image, DATA: [first, second]}
outputs: [result]
side_inputs: {SMOOTH: smooth}
side_outputs: {DONE: done}
num_threads: 2
max_queue_size: -1
report_deadlock: true
input_policy: immediate
executors:
  heavy: {num_threads: 4, type: ThreadPoolExecutor}
nodes:
  all:
    calculator: Thing
    doc: Does it.
    when: not $size
    inputs:
      MAIN: image
      ON: first
      LOOP: {stream: result, back_edge: true}
      MANY: [first, {stream: second}]
    outputs: {PARTS: [one, null, three], "": result}
    side_inputs: {SMOOTH: smooth}
    side_outputs: [done]
    options: {threshold: 1e-3, text: "1e-3", yes: on, size: $size, when: 2024-01-01, deep: {list: [1, .inf]}}
    input_policy: {name: fixed_size, trigger_queue_size: 3}
    executor: heavy
    max_in_flight: 2
    queue_size: 5
    source_layer: 1
  mixed:
    calculator: Other
    max_in_flight: $size
    inputs: [image, ALLOW:first, MANY:one, "MANY:three", second]
"""


@pytest.fixture
def everything() -> GraphSpec:
    return read(EVERYTHING)


def test_a_graph_s_fields(everything: GraphSpec) -> None:
    assert everything.name == "Everything"
    assert everything.doc == "All there is."
    assert dict(everything.params) == {"size": 3, "model": REQUIRED, "nothing": None}
    assert everything.inputs == (
        StreamRef("IMAGE", 0, "image"), StreamRef("DATA", 0, "first"), StreamRef("DATA", 1, "second"),
    )  # fmt: skip
    assert everything.outputs == (StreamRef("", 0, "result"),)
    assert everything.side_inputs == (StreamRef("SMOOTH", 0, "smooth"),)
    assert everything.side_outputs == (StreamRef("DONE", 0, "done"),)
    assert (everything.num_threads, everything.max_queue_size, everything.report_deadlock) == (2, -1, True)
    assert everything.executors == (ExecutorSpec("heavy", 4, "ThreadPoolExecutor", Location("<text>", 16, 3)),)
    assert everything.input_policy == PolicySpec("immediate")


def test_a_node_s_fields(everything: GraphSpec) -> None:
    node = everything.nodes[0]
    assert (node.name, node.calculator, node.doc, node.when) == ("all", "Thing", "Does it.", "not $size")
    assert node.inputs == (
        StreamRef("MAIN", 0, "image"),
        StreamRef("ON", 0, "first"),
        StreamRef("LOOP", 0, "result", back_edge=True),
        StreamRef("MANY", 0, "first"),
        StreamRef("MANY", 1, "second"),
    )
    assert node.outputs == (StreamRef("PARTS", 0, "one"), StreamRef("PARTS", 2, "three"), StreamRef("", 0, "result"))
    assert node.side_inputs == (StreamRef("SMOOTH", 0, "smooth"),)
    assert node.side_outputs == (StreamRef("", 0, "done"),)
    assert dict(node.options) == {
        "threshold": 0.001, "text": "1e-3", "yes": True, "size": "$size", "when": "2024-01-01",
        "deep": {"list": [1, float("inf")]},
    }  # fmt: skip
    assert node.input_policy == PolicySpec("fixed_size", {"trigger_queue_size": 3})
    assert (node.executor, node.max_in_flight, node.queue_size, node.source_layer) == ("heavy", 2, 5, 1)


def test_untagged_and_tagged_inputs_in_one_list(everything: GraphSpec) -> None:
    node = everything.nodes[1]
    assert node.inputs == (
        StreamRef("", 0, "image"),
        StreamRef("ALLOW", 0, "first"),
        StreamRef("MANY", 0, "one"),
        StreamRef("MANY", 1, "three"),
        StreamRef("", 1, "second"),
    )
    assert node.deferred == {"max_in_flight": "$size"}


def test_everything_keeps_its_place(everything: GraphSpec) -> None:
    node = everything.nodes[0]
    options = EVERYTHING.splitlines()[29]
    assert node.location == Location("<text>", 18, 3)
    assert node.inputs[2].location == Location("<text>", 25, 22)
    assert node.option_locations["size"] == Location("<text>", 30, options.index("size") + 1)
    assert node.option_locations["deep.list.1"] == Location("<text>", 30, options.index(".inf") + 1)
    assert node.field_locations["max_in_flight"] == Location("<text>", 33, 20)


@pytest.mark.parametrize("text", ["{}\n", "nodes:\n", "graph: Nothing\nnodes: {}\n"])
def test_a_graph_may_be_without_nodes(text: str) -> None:
    assert load(text).nodes == ()


def test_an_anchor_is_repeated(graphs: Path) -> None:
    checked = load(
        "inputs: {VALUE: a}\n"
        "nodes:\n"
        "  m: {calculator: ./calculators.py:Double, inputs: {VALUE: a}, outputs: {RESULT: b}, options: &o {factor: 4}}"
        "\n  n: {calculator: ./calculators.py:Double, inputs: {VALUE: b}, outputs: {RESULT: c}, options: *o}\n"
    )
    assert [node.new_calculator().factor for node in checked.nodes] == [4.0, 4.0]  # type: ignore[attr-defined]


def test_reading_alone_leaves_parameters_and_subgraphs(graphs: Path) -> None:
    spec = read(graphs / "nested.yaml")
    assert [node.calculator for node in spec.nodes] == ["Scale"]
    assert spec.nodes[0].options["language"] == "$language"
    assert spec.folder == str(graphs)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 100_000 + "\n", (1, 1)),
        ("{a: " * 50_000 + "\n", (1, 1)),
        ("".join(f"{'- ' * i}a:\n" for i in (200,)), (1, 1)),
    ],
    ids=["lists", "mappings", "sequences"],
)
def test_hostile_nesting_is_refused(text: str, place: tuple[int, int], mistakes) -> None:  # type: ignore[no-untyped-def]
    found, _ = mistakes(text)
    assert found == [(*place, "not a graph: nested too deeply | ")]


def test_anchors_that_multiply_are_refused(mistakes) -> None:  # type: ignore[no-untyped-def]
    lines = ["params:", "  a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"  {name}: &{name} [{', '.join([f'*{previous}'] * 10)}]")
    found, _ = mistakes("\n".join(lines) + "\n")
    assert [words for _, _, words in found] == ["more than 100000 values | anchors that repeat each other multiply"]


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(b"graph: A\nnodes: {\xff}\n")
    with pytest.raises(Exception, match=r"broken\.yaml:2:9: not text: invalid start byte"):
        read(path)


def test_check_takes_a_graph_built_in_code() -> None:
    assert check(GraphSpec("code", inputs=(StreamRef("", 0, "a"),))).stream_types.keys() == {"a"}


def test_comments_say_what_parameters_and_nodes_are_for() -> None:
    spec = read(
        "params:\n  a: 1    # how many\n  b: [1, 2] # a list\n  c: 'x # y'\n"
        "nodes:\n  # The first,\n  # which begins.\n  one: {calculator: Gate}\n\n"
        "  # Far above.\n\n  two: {calculator: Gate}\n"
    )
    assert dict(spec.param_docs) == {"a": "how many", "b": "a list", "c": ""}
    assert [node.comment for node in spec.nodes] == ["The first, which begins.", ""]
    assert str(spec.field_locations["params.b"]) == "<text>:3:3"
