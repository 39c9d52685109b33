"""The pages on systems, cards and evaluation: listings are right, commands name what exists, pictures are there."""

import itertools
import re
import shlex
from pathlib import Path

import pytest
import yaml

from graphflow import config
from graphflow.inference.cards import parse_card

DOCS = Path(__file__).parents[1] / "docs"
PAGES = [*sorted((DOCS / "systems").glob("*.md")), DOCS / "evaluation.md", DOCS / "model_cards.md"]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_listings_are_right(page: Path) -> None:
    for text in blocks(page, "yaml"):
        if "nodes" in yaml.safe_load(text):
            config.load(text)
        else:
            parse_card(text, page.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_name_graphs_and_parameters_that_exist(page: Path) -> None:
    for line in "".join(blocks(page, "sh")).splitlines():
        words = shlex.split(line)
        if words[:2] not in (["graphflow", "run"], ["graphflow", "eval"]):
            continue
        options = list(itertools.pairwise(words[2:]))
        graphs = [words[2], *(value for option, value in options if option == "--compare")]
        known = {name for graph in graphs for name in config.read(graph).params}
        named = {value.partition("=")[0] for option, value in options if option == "--param"}
        assert named <= known, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).is_file(), target


def test_every_card_is_on_its_page() -> None:
    from graphflow.inference.card_files import shipped_cards

    text = (DOCS / "model_cards.md").read_text("utf-8")
    assert all(f"| `{name}` |" in text for name in shipped_cards())


@pytest.mark.parametrize("name", ["openpose", "associative_embedding"])
def test_examples_run(name: str) -> None:
    found = blocks(DOCS / "systems" / f"{name}.md", "python")
    assert found
    for text in found:
        exec(compile(text, f"{name}.md", "exec"), {})
