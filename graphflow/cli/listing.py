"""`graphflow list`: the graphs, calculators and models there are, one line each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

import typer

from graphflow import config, registry
from graphflow.cli.reporting import UsageError
from graphflow.config.suggestions import did_you_mean
from graphflow.errors import GraphConfigError


def list_everything(what: str | None = None, *, as_json: bool) -> None:
    """Writes names and what each is for: of everything, or of one kind of things.

    Raises:
        UsageError: there is no such kind.
    """
    kinds: dict[str, Callable[[], dict[str, str]]] = {
        "graphs": lambda: {name: _graph_doc(name) for name in config.graph_names()},
        "subgraphs": lambda: {name: _graph_doc(name) for name in config.module_names()},
        "calculators": lambda: {name: _calculator_doc(name) for name in registry.names()},
        "models": _model_docs,
    }
    if what is not None and what not in kinds:
        raise UsageError(f"there is no list of '{what}'; {did_you_mean(what, kinds, 'lists')}")
    sections = {kind: entries() for kind, entries in kinds.items() if what in (None, kind)}
    if as_json:
        listed = {
            section: [{"name": name, "doc": doc} for name, doc in entries.items()]
            for section, entries in sections.items()
        }
        typer.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    typer.echo("\n\n".join(_section(title, entries) for title, entries in sections.items()))
    typer.echo("\nMore of one: graphflow describe NAME; of a model: graphflow models info NAME")


def first_sentence(text: str | None) -> str:
    """What a docstring says first, on one line.

    >>> first_sentence("Drops frames.  When\\n it is late.\\n\\nMore.")
    'Drops frames.'
    """
    paragraph = " ".join((text or "").strip().split("\n\n")[0].split())
    sentence, dot, _ = paragraph.partition(". ")
    return sentence + dot.strip()


def columns(rows: Iterable[tuple[str, ...]], indent: str = "  ") -> str:
    """Rows of text below one another, every column as wide as its longest cell."""
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in table
    )


def _section(title: str, entries: Mapping[str, str]) -> str:
    return f"{title}\n{columns(entries.items()) if entries else '  none'}"


def _model_docs() -> dict[str, str]:
    from graphflow.inference import ModelStore

    store = ModelStore(offline=True)
    return {name: first_sentence(store.doc(name)) for name in store.names()}


def _graph_doc(name: str) -> str:
    try:
        return first_sentence(config.read(name).doc)
    except GraphConfigError:
        return f"cannot be read: see graphflow check {name}"


def _calculator_doc(name: str) -> str:
    try:
        return first_sentence(registry.find(name).__doc__)
    except Exception as error:  # one broken package must not hide the others
        return f"cannot be loaded: {type(error).__name__}: {error}"
