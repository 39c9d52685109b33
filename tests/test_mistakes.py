"""Every mistake of the table is answered with its place and what to do."""

from pathlib import Path

import pytest
from mistakes import COMMANDS, CONFIGURATION, RUNNING, Mistake, answer, table


@pytest.mark.parametrize("mistake", CONFIGURATION, ids=lambda mistake: mistake.title)
def test_the_answer_names_place_and_remedy(mistake: Mistake, tmp_path: Path) -> None:
    text, place = answer(mistake, tmp_path)
    for words in mistake.says:
        assert words in text, text
    if place is not None:
        assert f"{place[0]}:{place[1]}: " in text, text
    assert ("warning: " in text) is mistake.warning
    # one mistake, one answer: nothing that follows from it is told as well
    told = [line for line in text.splitlines() if not line.startswith("  ")]
    assert len(told) == 1, text


@pytest.mark.parametrize("mistake", RUNNING, ids=lambda mistake: mistake.title)
def test_a_failed_run_names_the_node_and_what_it_did(mistake: Mistake, tmp_path: Path) -> None:
    text, _ = answer(mistake, tmp_path)
    assert text.startswith("unruly.yaml:7:3: node 'unruly' (unruly.py:Unruly) of graph 'Unruly'")
    for words in mistake.says:
        assert words in text, text


@pytest.mark.parametrize("mistake", COMMANDS, ids=lambda mistake: mistake.title)
def test_a_command_says_what_is_wrong_and_what_would_be_right(mistake: Mistake, tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="the sample's photograph is in scikit-image: pip install 'graphflow[demo]'")
    text, _ = answer(mistake, tmp_path)
    for words in mistake.says:
        assert words in text, text


def test_the_manual_shows_what_is_answered(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text("utf-8")
    change = {"LANDMARKS: pose_landmarks}\n    outputs: {H": "LANDMARKS: pose_landmark}\n    outputs: {H"}
    text, _ = answer(Mistake("", change), tmp_path)
    assert f"```text\n{text}\n```" in manual, text


def test_there_are_many_and_each_is_told_apart() -> None:
    assert len(CONFIGURATION) >= 30
    rows = table(CONFIGURATION[:3]).splitlines()
    assert rows[2].startswith("| 1 | a stream's name misspelt | g.yaml:19:21: node 'overlay' reads stream 'imag'")
    assert len({mistake.title for mistake in CONFIGURATION}) == len(CONFIGURATION)
