"""Folders given to find graphs in."""

from pathlib import Path

import pytest

from graphflow import GraphConfigError
from graphflow.config import expand, load, read
from graphflow.config.graph_folders import GraphFolders

INNER = """\
type: "{name}"
input_stream: "IN:in"
output_stream: "OUT:out"
node {{ calculator: "{calculator}" input_stream: "in" output_stream: "out" }}
"""
OUTER = """\
input_stream: "a"
output_stream: "b"
node { calculator: "Inner" input_stream: "IN:a" output_stream: "OUT:b" }
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Graphs in folders, as MediaPipe keeps them."""
    files = {
        "graphs/mine/mine.pbtxt": OUTER,
        "graphs/mine/subgraphs/inner_gpu.pbtxt": INNER.format(name="Inner", calculator="NoGpu"),
        "graphs/mine/subgraphs/inner_cpu.pbtxt": INNER.format(name="Inner", calculator="PassThrough"),
        "graphs/other/other.pbtxt": OUTER,
        "graphs/other/inner_of_other.pbtxt": INNER.format(name="Inner", calculator="Far"),
        "modules/face_mesh_cpu.pbtxt": OUTER,
        "modules/named.yaml": "graph: FaceMeshCpu\nnodes: {}\n",
        "modules/.hidden/x.pbtxt": INNER.format(name="Hidden", calculator="Gate"),
        "modules/broken.pbtxt": b"\xff\xfe".decode("latin-1"),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "near", "file"),
    [
        ("Inner", "graphs/mine", "graphs/mine/subgraphs/inner_cpu.pbtxt"),
        ("Inner", "graphs/other", "graphs/other/inner_of_other.pbtxt"),
        # a name given inside counts more than that of the file
        ("FaceMeshCpu", "modules", "modules/named.yaml"),
        ("Mine", "", "graphs/mine/mine.pbtxt"),
        ("Hidden", "", None),
        ("Nobody", "", None),
    ],
)
def test_the_file_of_a_name(checkout: Path, name: str, near: str, file: str | None) -> None:
    found = GraphFolders([checkout]).find(name, str(checkout / near) if near else "")
    assert (found.relative_to(checkout).as_posix() if found else None) == file


def test_subgraphs_are_found_in_the_folders(checkout: Path) -> None:
    graph = load(checkout / "graphs/mine/mine.pbtxt", graph_path=[checkout / "graphs"])
    assert [(node.spec.name, node.spec.calculator) for node in graph.nodes] == [("Inner/PassThrough", "PassThrough")]
    spec = read(OUTER)
    nodes = expand(spec, graph_path=[checkout / "modules", checkout / "graphs/mine"]).nodes
    assert [node.name for node in nodes] == ["Inner/PassThrough"]


def test_the_graph_itself_may_be_named(checkout: Path) -> None:
    assert read("Mine", graph_path=[checkout]).nodes[0].calculator == "Inner"


def test_without_the_folder_the_subgraph_is_unknown(checkout: Path) -> None:
    with pytest.raises(GraphConfigError, match="unknown calculator or graph 'Inner'"):
        load(checkout / "graphs/mine/mine.pbtxt")


def test_a_folder_must_exist(checkout: Path) -> None:
    with pytest.raises(GraphConfigError, match=r"nowhere: no such folder to find graphs in"):
        load(OUTER, graph_path=[checkout / "nowhere"])
