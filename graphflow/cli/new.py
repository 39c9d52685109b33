"""`graphflow new`: the beginning of a graph, a calculator, or a plugin."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

import typer

from graphflow import registry
from graphflow.cli import templates
from graphflow.cli.reporting import UsageError
from graphflow.cli.schema import SCHEMA_FILE, schema_text


def write_graph(name: str, folder: Path) -> None:
    """Writes a graph to begin with, and the schema by which editors complete it.

    Raises:
        UsageError: the name cannot be one, or the graph is there already.
    """
    camel, snake = _names(name)
    _write(folder, {f"{snake}.yaml": templates.GRAPH}, {"Name": camel, "name": snake, "schema": SCHEMA_FILE})
    _write_schema(folder)
    typer.echo(f"Next: graphflow run {_shown(folder, f'{snake}.yaml')} -i sample:astronaut -o overlay.mp4")


def write_calculator(name: str, folder: Path, *, as_function: bool = False) -> None:
    """Writes a calculator, its test, a graph that uses it, and the schema by which editors complete that.

    Raises:
        UsageError: the name cannot be one, or a file is there already.
    """
    camel, snake = _names(name)
    imports = "from pathlib import Path\n\nimport numpy as np\nimport pytest\nfrom graphflow import config\n"
    test = templates.TEST.replace("import numpy as np\nimport pytest\n", imports) + templates.TEST_OF_GRAPH
    values = {
        "Name": camel,
        "name": snake,
        "module": snake,
        "symbol": snake if as_function else camel,
        "reference": f"./{snake}.py:{camel}",
        "schema": SCHEMA_FILE,
    }
    files = {
        f"{snake}.py": templates.FUNCTION if as_function else templates.CALCULATOR,
        f"test_{snake}.py": test,
        f"{snake}.yaml": templates.USING_GRAPH,
    }
    _write(folder, files, values)
    _write_schema(folder)
    graph = _shown(folder, f"{snake}.yaml")
    typer.echo(f"Next: pytest {_shown(folder, f'test_{snake}.py')}")
    typer.echo(f"      graphflow run {graph} -i sample:astronaut --save results.jsonl")


def write_plugin(name: str, folder: Path) -> None:
    """Writes a package with a calculator, its tests and an example, in a folder of its own.

    Raises:
        UsageError: the name cannot be one, or the folder holds such files already.
    """
    camel, snake = _names(name.removeprefix("graphflow-").removeprefix("graphflow_"))
    imports = "import numpy as np\nimport pytest\nfrom graphflow import registry\n"
    test = templates.TEST.replace("import numpy as np\nimport pytest\n", imports) + templates.TEST_OF_ENTRY_POINT
    kebab = snake.replace("_", "-")
    values = {
        "Name": camel,
        "name": snake,
        "kebab-name": kebab,
        "module": f"graphflow_{snake}.{snake}",
        "symbol": camel,
        "reference": camel,
        "schema": SCHEMA_FILE,
    }
    package = f"src/graphflow_{snake}"
    files = {
        "pyproject.toml": templates.PLUGIN_PROJECT,
        "README.md": templates.PLUGIN_README,
        f"{package}/__init__.py": templates.PLUGIN_PACKAGE,
        f"{package}/py.typed": "",
        f"{package}/{snake}.py": templates.CALCULATOR,
        f"tests/test_{snake}.py": test,
        f"examples/{snake}.yaml": templates.USING_GRAPH.replace("# yaml-language-server: $schema=@schema@\n", ""),
    }
    root = folder / f"graphflow-{kebab}"
    _write(root, files, values)
    typer.echo(f"Next: cd {root}; pip install -e '.[test]'; pytest; graphflow describe {camel}")


def _names(name: str) -> tuple[str, str]:
    """The name as of a class and as of a file: `WristHeight`, `wrist_height`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.removesuffix("Calculator") or name)
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", snake) or keyword.iskeyword(snake):
        raise UsageError(f"'{name}' cannot be the name: letters and digits, such as WristHeight or wrist_height")
    return "".join(word[:1].upper() + word[1:] for word in snake.split("_")), snake


def _write(folder: Path, files: Mapping[str, str], values: Mapping[str, str]) -> None:
    """Writes the files, all or none."""
    there = [_shown(folder, file) for file in files if (folder / file).exists()]
    if there:
        raise UsageError(f"already there: {', '.join(there)}; choose another name, or another --folder")
    for file, template in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(re.sub("@([A-Za-z-]+)@", lambda match: values[match[1]], template), encoding="utf-8")
        typer.echo(f"wrote {_shown(folder, file)}")


def _write_schema(folder: Path) -> None:
    try:
        text = schema_text(folder)
    except (UsageError, registry.UnknownCalculatorError) as error:  # of a file that was there before
        typer.echo(f"no schema for completion: {error}")
        return
    (folder / SCHEMA_FILE).write_text(text, encoding="utf-8")
    typer.echo(f"wrote {_shown(folder, SCHEMA_FILE)}, by which editors complete; renew it with graphflow schema -o")


def _shown(folder: Path, file: str) -> str:
    return (folder / file).as_posix()
