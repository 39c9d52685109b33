"""Which graph a name means."""

from pathlib import Path

import pytest

from graphflow import GraphConfigError
from graphflow.config import graph_names, library, module_names, read
from graphflow.config.library import find_graph, find_subgraph

GRAPH = "graph: {name}\nnodes: {{}}\n"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped graphs: hands (named Hands) and pose at the top, PoseFilter among the modules; a user's folder `mine`."""
    shipped = tmp_path / "shipped"
    (shipped / "modules").mkdir(parents=True)
    (shipped / "hands.yaml").write_text("# a comment first\n" + GRAPH.format(name="Hands"))
    (shipped / "pose.yaml").write_text("nodes: {}\n")
    (shipped / "modules" / "pose_filter.yaml").write_text(GRAPH.format(name="PoseFilter"))
    monkeypatch.setattr(library, "_shipped_folders", lambda: (shipped,))
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "own.yaml").write_text(GRAPH.format(name="Own"))
    (mine / "filter.yml").write_text(GRAPH.format(name="PoseFilter"))
    (mine / "old.pbtxt").write_text('type: "OldGraph"\n')
    monkeypatch.chdir(mine)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "file"),
    [
        ("hands", "shipped/hands.yaml"),
        ("Hands", "shipped/hands.yaml"),
        ("pose", "shipped/pose.yaml"),
        ("PoseFilter", "shipped/modules/pose_filter.yaml"),
        ("pose_filter", "shipped/modules/pose_filter.yaml"),
        ("own.yaml", "mine/own.yaml"),
        ("./old.pbtxt", "mine/old.pbtxt"),
        ("../shipped/hands.yaml", "shipped/hands.yaml"),
        (Path("filter.yml"), "mine/filter.yml"),
    ],
)
def test_what_a_user_s_source_means(source: str | Path, file: str, shelf: Path) -> None:
    assert (shelf / "mine" / find_graph(source).file).resolve() == shelf / file


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Own", "mine/own.yaml"),
        ("own", "mine/own.yaml"),
        ("OldGraph", "mine/old.pbtxt"),
        ("PoseFilter", "mine/filter.yml"),  # what is beside the graph comes before what is shipped
        ("pose_filter", "shipped/modules/pose_filter.yaml"),
        ("Hands", "shipped/hands.yaml"),
        ("../shipped/pose.yaml", "shipped/pose.yaml"),
    ],
)
def test_what_a_node_means(name: str, file: str, shelf: Path) -> None:
    found = find_subgraph(name, str(shelf / "mine"))
    assert found is not None
    assert (shelf / "mine" / found.file).resolve() == shelf / file


@pytest.mark.parametrize(
    "name", ["Nothing", "", "nothing.yaml", "./x.py:Hands", "a b", "x" * 5000, "x" * 5000 + ".yaml"]
)
def test_a_node_s_name_that_is_no_graph(name: str, shelf: Path) -> None:
    assert find_subgraph(name, str(shelf / "mine")) is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hand", "hand: no graph 'hand' — did you mean 'hands'? shipped graphs: hands, pose"),
        ("xyz", "xyz: no graph 'xyz' — shipped graphs: hands, pose"),
        ("owm.yaml", "owm.yaml: no graph file owm.yaml — did you mean 'own.yaml'? shipped graphs: hands, pose"),
        ("", ": no graph '' — shipped graphs: hands, pose"),
    ],
)
def test_an_unknown_graph(source: str, message: str, shelf: Path) -> None:
    with pytest.raises(GraphConfigError) as caught:
        read(source)
    assert str(caught.value) == message


def test_a_folder_is_no_graph(shelf: Path) -> None:
    with pytest.raises(GraphConfigError, match="no graph file"):
        read(shelf)


def test_names(shelf: Path) -> None:
    assert graph_names() == ["hands", "pose"]
    assert module_names() == ["PoseFilter"]


def test_a_graph_is_named_by_itself_or_its_file(shelf: Path) -> None:
    assert read("hands").name == "Hands"
    assert read("pose").name == "pose"
    assert read("nodes: {}\n").name == "graph"


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ("nodes: {}\n", "yaml"),
        ("# c\ngraph: A\n", "yaml"),
        ('input_stream: "a"', "pbtxt"),
        ('  # c\n\n  node {\n    calculator: "A"\n  }\n', "pbtxt"),
        ("num_threads: 1\nnode { }\n", "pbtxt"),
        ("num_threads: 1\nnodes: {}\n", "yaml"),
        ('num_threads: 1 max_queue_size: 2 input_stream: "a"', "pbtxt"),
        ("num_threads: 1 # input_stream: x\nnodes: {}\n", "yaml"),
        ("inputs: {A: a}\nnode: {}\n", "yaml"),
        ("nodes:\n  a:\n    executor: heavy\n", "yaml"),
    ],
)
def test_the_syntax_of_a_text(text: str, syntax: str) -> None:
    assert find_graph(text).syntax == syntax


def test_importing_the_package_loads_no_heavy_library() -> None:
    import subprocess
    import sys

    code = "import sys, graphflow.config; print([m for m in ('numba', 'cv2', 'onnxruntime') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_every_shipped_graph_is_read() -> None:
    assert graph_names()
    for name in (*graph_names(), *module_names()):
        assert read(name).nodes
