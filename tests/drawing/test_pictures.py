"""Pictures of graphs: what is in them, where it is, and that the page shows the same as the picture."""

import html
import itertools
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from graphflow.config import examine
from graphflow.drawing import Level, dot_text, html_page, mermaid_text, picture, svg_picture
from graphflow.drawing.layers import in_rows
from graphflow.drawing.placement import PlacedLevel, place

TINY = Path(__file__).parents[1] / "graphs"
NAMES = (
    *("holistic", "multi_holistic", "pose", "hands", "selfie_segmentation"),
    *(str(TINY / "nested.yaml"), str(TINY / "brightness.yaml")),
)
SVG = "{http://www.w3.org/2000/svg}"


@cache
def level_of(name: str) -> Level:
    params = {"threshold": 3} if "brightness" in name else {}
    return picture(examine(name, params=params))


def levels(level: Level) -> Iterator[Level]:
    yield level
    for box in level.boxes:
        if box.inside is not None:
            yield from levels(box.inside)


def test_what_is_in_a_picture() -> None:
    level = level_of("holistic")
    assert [box.name for box in level.boxes if box.kind == "input"] == ["image"]
    kinds = {box.name: box.kind for box in level.boxes if box.kind != "output"}
    assert {kinds[name] for name in ("pose", "hands", "face")} == {"graph"}
    assert (kinds["overlay"], kinds["face_from_pose"]) == ("node", "node")
    # nobody is asked for a mask, so nothing makes one
    assert not any(box.name == "segmentation_mask" for box in level.boxes)
    pose = next(box for box in level.boxes if box.name == "pose")
    assert {option.name: option.value for option in pose.options}["min_detection_confidence"] == 0.5
    assert pose.inside is not None
    types = {wire.name: wire.type for wire in level.wires}
    assert (types["pose_landmarks"], types["image"]) == ("NormalizedLandmarkList", "ndarray")
    assert back_edges(pose.inside) == [("pose_rect_from_landmarks", "previous_roi")]
    # the loop goes through a subgraph, in which the back edge is
    face = next(box for box in level.boxes if box.name == "face")
    assert face.inside is not None
    assert back_edges(face.inside) == [("face_landmarks", "tracking")]


def back_edges(level: Level) -> list[tuple[str, str]]:
    return [(wire.name, level.boxes[end.box].name) for wire in level.wires for end in wire.targets if end.back]


def test_what_runs_for_each_key_is_in_the_picture() -> None:
    people = next(box for box in level_of("multi_holistic").boxes if box.name == "people")
    assert (people.kind, people.calculator) == ("graph", "ForEach PersonParts")
    assert people.inside is not None
    assert (people.inside.path, people.inside.depth) == ("people/person", 1)
    assert {"pose", "hands", "face"} <= {box.name for box in people.inside.boxes}
    titles = [title.text for title in ET.fromstring(svg_picture(level_of("multi_holistic"), 1)).iter(f"{SVG}title")]
    assert any(title is not None and title.startswith("face_from_pose: ") for title in titles)


def test_every_node_is_in_the_picture() -> None:
    checked = examine("holistic").graph
    assert checked is not None
    drawn = {
        f"{level.path}/{box.name}".lstrip("/")
        for level in levels(level_of("holistic"))
        for box in level.boxes
        if box.kind == "node"
    }
    assert drawn == {node.spec.name for node in checked.nodes}


@pytest.mark.parametrize("name", NAMES)
def test_streams_flow_downwards_and_back_edges_up(name: str) -> None:
    for level in levels(level_of(name)):
        rows = in_rows(level)
        row_of = {cell: number for number, row in enumerate(rows.rows) for cell in row}
        assert sorted(row_of) == list(range(len(row_of)))
        for wire in level.wires:
            for end in wire.targets:
                assert end.back or row_of[wire.source.box] < row_of[end.box]
        for piece in rows.pieces:
            down = row_of[piece.end.cell] - row_of[piece.start.cell]
            assert down == 1 or (piece.back and down in (0, -1))
        assert all(row_of[i] == 0 for i, box in enumerate(level.boxes) if box.kind == "input")
        last = len(rows.rows) - 1
        assert all(row_of[i] == last for i, box in enumerate(level.boxes) if box.kind == "output")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("is_open", [False, True])
def test_nothing_overlaps(name: str, is_open: bool) -> None:
    def check(placed: PlacedLevel) -> None:
        for one, other in itertools.combinations(placed.cells, 2):
            apart_x = one.x + one.width <= other.x + 1e-6 or other.x + other.width <= one.x + 1e-6
            apart_y = one.y + one.height <= other.y + 1e-6 or other.y + other.height <= one.y + 1e-6
            assert apart_x or apart_y
        for cell in placed.cells:
            assert cell.x >= 0
            assert cell.x + cell.width <= placed.width + 1e-6
            assert cell.y + cell.height <= placed.height
            if cell.inside is not None:
                check(cell.inside)

    check(place(level_of(name), lambda _: is_open))


def test_crossings_that_can_be_avoided_are(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(
        "inputs: [a, b, c]\noutputs: [x, y, z]\nnodes:\n"
        "  n: {calculator: PassThrough, inputs: [c], outputs: [x]}\n"
        "  m: {calculator: PassThrough, inputs: [b], outputs: [y]}\n"
        "  o: {calculator: PassThrough, inputs: [a], outputs: [z]}\n"
    )
    placed = place(picture(examine(tmp_path / "g.yaml")), lambda _: False)
    middles = {box.name: cell.middle for box, cell in zip(placed.level.boxes, placed.cells, strict=False)}
    for column in (("c", "n", "x"), ("b", "m", "y"), ("a", "o", "z")):
        places = [middles[name] for name in column]
        assert max(places) - min(places) < 1, middles


def test_svg_is_a_picture_of_everything() -> None:
    shallow, deep = (ET.fromstring(svg_picture(level_of("holistic"), depth)) for depth in (0, 9))
    names = [text.text for text in shallow.iter(f"{SVG}text") if "name" in (text.get("class") or "").split()]
    assert sorted(names) == ["face", "face_from_pose", "hands", "overlay", "pose"]
    deep_names = [text.text for text in deep.iter(f"{SVG}text") if "name" in (text.get("class") or "").split()]
    boxes = [box for level in levels(level_of("holistic")) for box in level.boxes]
    assert len(deep_names) == sum(box.kind in ("node", "graph") for box in boxes)
    backs = [path for path in deep.iter(f"{SVG}path") if (path.get("class") or "") == "wire back"]
    assert len(backs) > 5
    titles = [title.text for title in shallow.iter(f"{SVG}title")]
    assert "pose_landmarks: NormalizedLandmarkList" in titles


def test_texts_are_escaped(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text(
        'graph: G\ndoc: "<b> & </script>"\ninputs: [a]\noutputs: [b]\nnodes:\n'
        "  n: {calculator: PassThrough, inputs: [a], outputs: [b], doc: '</script><i>'}\n"
    )
    level = picture(examine(tmp_path / "g.yaml"))
    assert ET.fromstring(svg_picture(level)).tag == f"{SVG}svg"
    page = html_page(level)
    assert page.count("</script>") == 1
    assert "&lt;b&gt; &amp; &lt;/script&gt;" in page


def test_the_page_needs_no_network() -> None:
    page = html_page(level_of("holistic"))
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}
    assert "src=" not in page
    assert "<link" not in page
    data = json.loads(page.split("const DATA = ", 1)[1].split(";\n", 1)[0].replace("<\\/", "</"))
    assert data["open"] == []
    assert {"pose", "hands", "face"} <= {box["name"] for box in data["level"]["boxes"]}


@pytest.mark.parametrize("depth", [0, 1, 9])
def test_text_for_other_programs(depth: int) -> None:
    level = level_of("pose")
    mermaid, dot = mermaid_text(level, depth), dot_text(level, depth)
    boxes = set(re.findall(r"^ *(?:subgraph )?(n_\w+)[\[(]", mermaid, re.M))
    ends = {end for pair in re.findall(r"^ *(n_\w+) -\.?->\S*\|\"\w+\"\| (n_\w+)$", mermaid, re.M) for end in pair}
    assert ends
    assert ends <= boxes
    assert mermaid.count("subgraph ") == mermaid.count(" end\n") == dot.count("subgraph ")
    assert dot.count("{") == dot.count("}")
    edges = re.findall(r'^  "([^"]+)" -> "([^"]+)"', dot, re.M)
    drawn = set(re.findall(r'^ +"([^"]+)" \[label', dot, re.M))
    assert {end for edge in edges for end in edge} <= drawn
    assert len(edges) == mermaid.count("| n_")
    dashed = dot.count("constraint=false")
    assert dashed == (0 if depth == 0 else 1)
    assert ("linkStyle" in mermaid) is bool(dashed)


def test_a_wrong_graph_is_not_drawn() -> None:
    with pytest.raises(ValueError, match="with mistakes cannot be drawn"):
        picture(examine("nodes: {n: {calculator: Gata}}\n"))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [0, 1, 9])
def test_the_page_shows_what_the_picture_shows(tmp_path: Path, depth: int) -> None:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no chromium here")
    level = level_of("holistic")
    page = tmp_path / "page.html"
    page.write_text(html_page(level, depth))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([browser, *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    scene = done.stdout.split('id="scene"', 1)[1]
    shown = [(html.unescape(path), float(x), float(y)) for x, y, path in re.findall(_ENTRY, scene)]
    placed = place(level, lambda box: box.inside is not None and box.inside.depth <= depth)

    def expected(placed: PlacedLevel) -> Iterator[tuple[str, float, float]]:
        for box, cell in zip(placed.level.boxes, placed.cells, strict=False):
            yield f"{placed.level.path}/{box.name}".lstrip("/"), cell.x, cell.y
            if cell.inside is not None:
                yield from expected(cell.inside)

    wanted = list(expected(placed))
    assert sorted(path for path, *_ in shown) == sorted(path for path, *_ in wanted)
    for (_, *one), (_, *other) in zip(sorted(shown), sorted(wanted), strict=True):
        assert one == pytest.approx(other, abs=0.2)


_ENTRY = r'<g transform="translate\((-?[\d.]+) (-?[\d.]+)\)" class="entry[^"]*" data-path="([^"]+)"'
