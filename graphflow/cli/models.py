"""`graphflow models`: which models there are, where, and how to get them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import typer

from graphflow.cli.listing import columns, first_sentence
from graphflow.cli.progress import FetchBar
from graphflow.cli.reporting import UsageError, show_warnings
from graphflow.config.suggestions import did_you_mean
from graphflow.inference import ModelInfo, ModelStore


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
    """Brings models into the cache, by default all.

    Raises:
        UsageError: there is no model of a name.
        ModelError: they cannot be had.
    """
    show_warnings()
    store = ModelStore()
    wanted = tuple(names) or store.names()
    for name in wanted:
        _check_name(store, name)
    with FetchBar() as bar:
        store.fetch(wanted, bar)
    typer.echo(f"{len(wanted)} model{'s' if len(wanted) > 1 else ''} in {store.cache_dir}")


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
    fields = _fields(store.info(name))
    if as_json:
        typer.echo(json.dumps(fields, indent=2, ensure_ascii=False))
        return
    fields["size"] = f"{fields['size']} bytes"
    fields["path"] = fields["path"] or f"not fetched: graphflow models fetch {name}"
    rows = [(key.replace("_", " "), str(value)) for key, value in fields.items() if value not in ([], None)]
    typer.echo(columns(rows, indent=""))


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
