"""`graphflow models`: which models there are, where, and how to get them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import typer

from graphflow.cli.listing import columns, first_sentence
from graphflow.cli.progress import FetchBar
from graphflow.cli.reporting import UsageError, show_warnings
from graphflow.config.suggestions import did_you_mean
from graphflow.inference import ModelCard, ModelInfo, ModelStore, Preparation, PreparedModels


def list_models(*, as_json: bool) -> None:
    """Writes every model of the catalog."""
    store = ModelStore()
    infos = [store.info(name) for name in store.names()]
    if as_json:
        typer.echo(json.dumps([_fields(info) for info in infos], indent=2, ensure_ascii=False))
        return
    rows = [
        (info.name, f"{info.size / 1e6:.1f} MB", "here" if info.cached else "not fetched", first_sentence(info.doc))
        for info in infos
    ]
    typer.echo(columns(rows, indent=""))
    typer.echo(f"\nkept in {store.cache_dir}")


def fetch_models(names: Sequence[str]) -> None:
    """Brings models into the cache, by default those that come with MediaPipe's wheel.

    Raises:
        UsageError: there is no model of a name.
        ModelError: they cannot be had.
    """
    show_warnings()
    store = ModelStore()
    wanted = tuple(names) or store.wheel_names()
    for name in wanted:
        _check_name(store, name)
    with FetchBar() as bar:
        store.fetch(wanted, bar)
    typer.echo(f"{len(wanted)} model{'s' if len(wanted) > 1 else ''} in {store.cache_dir}")


def add_model(name: str, url: str, sha256: str, card: Path | None) -> None:
    """Makes a model known by name, from an address and the hash of its file.

    Raises:
        UsageError: the name, address or hash cannot be those of a model, or there is no such card.
        ModelError: the card is wrong, or it cannot be kept.
    """
    if card is not None and not card.is_file():
        raise UsageError(f"there is no card {card}")
    if not url.partition("?")[0].endswith((".tflite", ".onnx")):
        raise UsageError(f"{url} does not end in .tflite or .onnx; unpack archives and give graphs the file's path")
    text = card.read_text("utf-8") if card else ""
    store = ModelStore()
    try:
        model = ModelCard(name, sha256.lower(), _doc_of(text) or f"Added from {url}.", url=url)
    except ValueError as error:
        raise UsageError(str(error)) from None
    store.add(model, text)
    typer.echo(f"added {name}; 'graphflow models fetch {name}' brings it, or the first graph that runs it")


def _doc_of(card: str) -> str:
    from graphflow.inference.cards import parse_card

    return parse_card(card, "the card").doc if card else ""


def show_path(name: str | None) -> None:
    """Writes the file of a model, fetching it if need be, or the folder of all.

    Raises:
        UsageError: there is no model of that name.
        ModelError: it cannot be had.
    """
    store = ModelStore()
    if name is None:
        typer.echo(str(store.cache_dir))
        return
    _check_name(store, name)
    with FetchBar() as bar:
        typer.echo(str(store.path(name, bar)))


def show_info(name: str, *, as_json: bool) -> None:
    """Writes what is known of a model.

    Raises:
        UsageError: there is no model of that name.
    """
    store = ModelStore()
    _check_name(store, name)
    info = store.info(name)
    prepared = PreparedModels(store).preparations(name) if info.cached else ()
    fields = _fields(info)
    if as_json:
        fields["prepared"] = [dataclasses.asdict(preparation) for preparation in prepared]
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return
    fields["size"] = f"{fields['size']} bytes"
    fields["path"] = fields["path"] or f"not fetched: graphflow models fetch {name}"
    rows = [(key.replace("_", " "), str(value)) for key, value in fields.items() if value not in ([], None)]
    rows += [(f"outputs {preparation.outputs}", _chosen(preparation)) for preparation in prepared]
    typer.echo(columns(rows, indent=""))


def _chosen(preparation: Preparation) -> str:
    measured = ", ".join(f"{name} {value:.2f} ms" for name, value in preparation.milliseconds.items())
    return f"{preparation.variant} graph ({measured} a run on one thread when it was prepared)"


def _fields(info: ModelInfo) -> dict[str, object]:
    fields = dataclasses.asdict(info)
    return fields | {
        "path": str(info.path) if info.path else None,
        "cached": info.cached,
        "input_shapes": [list(shape) for shape in info.input_shapes],
        "output_shapes": [list(shape) for shape in info.output_shapes],
    }


def _check_name(store: ModelStore, name: str) -> None:
    if name not in store.names():
        hint = did_you_mean(name, store.names()) or f"there are: {', '.join(store.names())}"
        raise UsageError(f"no model is called '{name}'; {hint}")
