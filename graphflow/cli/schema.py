"""`graphflow schema`: the JSON Schema of graphs as a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import typer

from graphflow import registry
from graphflow.cli.reporting import UsageError
from graphflow.schema import graph_schema

SCHEMA_FILE: Final = "graphflow.schema.json"
"""What the schema beside a graph is called."""


def write_schema(output: Path | None, folder: Path, files: Iterable[Path] = ()) -> None:
    """Writes the schema to a file, or to the terminal.

    Raises:
        UsageError: there is no such folder, or a file of calculators cannot be loaded.
        OSError: the file cannot be written.
    """
    if not folder.is_dir():
        raise UsageError(f"no folder {folder}")
    text = schema_text(folder, files)
    if output is None:
        typer.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    typer.echo(f"wrote {output}; a graph names it in its first line: # yaml-language-server: $schema={output.name}")


def schema_text(folder: Path, files: Iterable[Path] = ()) -> str:
    """The schema as text, the calculators and graphs of a folder included.

    Raises:
        UsageError: a file of calculators cannot be loaded.
    """
    try:
        schema = graph_schema(folder, files)
    except registry.UnknownCalculatorError as error:
        raise UsageError(str(error)) from error
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":")) + "\n"
