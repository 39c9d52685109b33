"""`graphflow models`."""

import json
from pathlib import Path

import pytest

from graphflow.inference import ModelStore

from .conftest import Cli


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GRAPHFLOW_OFFLINE", "1")


def test_list(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("models", "list")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.endswith(f"\nkept in {tmp_path / 'cache'}\n")
    rows = [line.split() for line in outcome.out.splitlines() if "not fetched" in line]
    assert tuple(row[0] for row in rows) == ModelStore().names()
    listed = json.loads(cli("models", "list", "--json").out)
    assert [(entry["name"], entry["cached"]) for entry in listed] == [(name, False) for name in ModelStore().names()]


def test_info(cli: Cli) -> None:
    outcome = cli("models", "info", "hand_recrop")
    assert (outcome.code, outcome.err) == (0, "")
    assert "not fetched: graphflow models fetch hand_recrop" in outcome.out
    info = json.loads(cli("models", "info", "hand_recrop", "--json").out)
    assert (info["size"], info["path"], len(info["sha256"])) == (123792, None, 64)


def test_path_of_the_cache(cli: Cli, tmp_path: Path) -> None:
    assert cli("models", "path").out == f"{tmp_path / 'cache'}\n"


@pytest.mark.parametrize("arguments", [("fetch",), ("fetch", "hand_recrop"), ("path", "hand_recrop")])
def test_offline(cli: Cli, arguments: tuple[str, ...]) -> None:
    outcome = cli("models", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert "hand_recrop" in outcome.err
    assert "fetching is off (GRAPHFLOW_OFFLINE is set)" in outcome.err


@pytest.mark.parametrize("command", ["fetch", "path", "info"])
def test_unknown_model(cli: Cli, command: str) -> None:
    outcome = cli("models", command, "hand_recorp")
    assert (outcome.code, outcome.out) == (2, "")
    assert "no model is called 'hand_recorp'; did you mean 'hand_recrop'" in outcome.err


def test_add(cli: Cli, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("{doc: Two points., input: {size: [8, 8]}, keypoints: [a, b], decoder: {kind: regression}}")
    url = "https://example.org/two.onnx"
    outcome = cli("models", "add", "two", "--url", url, "--sha256", "AB" * 32, "--card", card)
    assert (outcome.code, outcome.err) == (0, "")
    assert "graphflow models fetch two" in outcome.out
    info = json.loads(cli("models", "info", "two", "--json").out)
    assert (info["doc"], info["source"], info["sha256"]) == ("Two points.", url, "ab" * 32)


WRONG = [
    (("two", "--url", "https://example.org/two.zip", "--sha256", "ab" * 32), "unpack archives"),
    (("two", "--url", "https://example.org/two.onnx", "--sha256", "ab"), "64 lowercase hexadecimal digits"),
    (("t/wo", "--url", "https://example.org/two.onnx", "--sha256", "ab" * 32), "a name is letters"),
    (("two", "--url", "https://example.org/two.onnx", "--sha256", "ab" * 32, "--card", "none.yaml"), "no card none"),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_add_says_what_is_wrong(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = cli("models", "add", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
