"""What goes to stderr: each error as one clear message, warnings of the library; and the exit codes."""

from __future__ import annotations

import functools
import logging
import os
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

    from graphflow.errors import Problem

FAILED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130


class UsageError(Exception):
    """The arguments are wrong; the message says which and what would be right."""


def report(error: BaseException) -> int | None:
    """Writes an error to stderr and returns the exit code for it; None for what typer itself raised."""
    if isinstance(error, KeyboardInterrupt):
        say("interrupted")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):  # `graphflow list | head`
        _close_stdout()
        return FAILED
    if type(error).__module__.split(".")[0] in ("typer", "click"):
        return None
    if os.environ.get("GRAPHFLOW_DEBUG", "0") not in ("", "0"):
        say("".join(traceback.format_exception(error)))
    return _report(error)


def say(message: str) -> None:
    """Writes one message to stderr, above a progress bar where one is shown."""
    stderr().print(message, markup=False, highlight=False, soft_wrap=True)


@functools.cache
def stderr() -> Console:
    """The console that errors, warnings and progress share."""
    from rich.console import Console

    return Console(stderr=True)


def show_warnings() -> None:
    """Lets the library's warnings appear as messages, and what it says of models that take their time."""
    logger = logging.getLogger("graphflow")
    if not any(isinstance(handler, _Messages) for handler in logger.handlers):
        logger.addHandler(_Messages())
        logging.getLogger("graphflow.inference").setLevel(logging.INFO)


def with_source_lines(problems: Iterable[Problem]) -> str:
    """The problems, each with the line it is on, a caret under its column, and the nodes that lead there."""
    return "\n".join("\n".join([str(problem), *_line_and_caret(problem), *_uses(problem)]) for problem in problems)


class _Messages(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        kind = "" if record.levelno < logging.WARNING else f"{record.levelname.lower()}: "
        say(f"{kind}{record.getMessage()}")


def _report(error: BaseException) -> int:
    from graphflow.errors import CalculatorError, GraphConfigError, GraphflowError

    match error:
        case GraphConfigError():
            say(f"error: {with_source_lines(error.problems)}")
            return WRONG_USAGE
        case UsageError():
            say(f"error: {error}")
            return WRONG_USAGE
        case CalculatorError():
            say("\n".join([f"error: {_shortened(error)}", *getattr(error, "__notes__", ())]))
        case GraphflowError():
            say(f"error: {error}")
        case OSError():
            place = f"{error.filename}: " if error.filename else ""
            say(f"error: {place}{error.strerror or error}")
        case _:
            say(f"error: {type(error).__name__}: {error}\nThis is a bug of graphflow; GRAPHFLOW_DEBUG=1 shows where.")
    return FAILED


def _shortened(error: BaseException) -> str:
    """The cause alone where a source or sink failed that this program put around the graph."""
    location = getattr(error, "location", None)
    ours = location is not None and location.file.startswith("<") and not location.line
    if ours and isinstance(error.__cause__, OSError | ValueError):
        return str(error.__cause__)
    return str(error)


def _uses(problem: Problem) -> list[str]:
    return [f"  used at {' > '.join(str(use) for use in problem.uses)}"] if problem.uses else []


def _line_and_caret(problem: Problem) -> list[str]:
    location = problem.location
    if not location.line:
        return []
    try:
        lines = Path(location.file).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    if location.line > len(lines):
        return []
    line = lines[location.line - 1].replace("\t", " ")
    margin = f"  {location.line} | "
    return [margin + line, " " * (len(margin) + max(location.column, 1) - 1) + "^"]


def _close_stdout() -> None:
    """Keeps Python from complaining at exit that nobody reads its output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
