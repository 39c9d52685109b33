"""What calculators print during a run: kept apart from the output of the program, each line with its node."""

from __future__ import annotations

import contextlib
import io
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, TextIO

from graphflow.cli.reporting import say
from graphflow.runtime.running_calls import RunningCall

_PATIENCE_S: Final = 1.0
"""How long a print waits to learn which run it belongs to: calculators begin while the run is still being made."""


@contextlib.contextmanager
def located_prints() -> Iterator[LocatedPrints]:
    """While it is entered, what calculators write to stdout goes to stderr, as `node 'name' printed: …`.

    stdout belongs to whoever reads the program's own output, and a print would tear the progress bar.
    """
    before = sys.stdout
    prints = LocatedPrints(before)
    sys.stdout = prints
    try:
        yield prints
    finally:
        sys.stdout.flush()
        sys.stdout = before


class LocatedPrints(io.TextIOBase):
    """Stands for stdout; see `located_prints`."""

    def __init__(self, target: TextIO) -> None:
        self._target = target
        self._running_calls: Callable[[], list[RunningCall]] | None = None
        self._known = threading.Event()
        self._owner = threading.get_ident()
        self._begun: dict[int, str] = {}

    def belong_to(self, running_calls: Callable[[], list[RunningCall]]) -> None:
        """Says whose calls the prints come from."""
        self._running_calls = running_calls
        self._known.set()

    def write(self, text: str) -> int:
        thread = threading.get_ident()
        if thread == self._owner:
            return self._target.write(text)
        *lines, rest = (self._begun.pop(thread, "") + text).split("\n")
        if rest:
            self._begun[thread] = rest
        for line in lines:
            self._say(thread, line)
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() == self._owner:
            for thread in list(self._begun):
                self._say(thread, self._begun.pop(thread))
            self._target.flush()

    def writable(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    def _say(self, thread: int, line: str) -> None:
        if thread != self._owner:
            self._known.wait(_PATIENCE_S)
        calls = self._running_calls() if self._running_calls is not None else []
        node = next((call.node for call in calls if call.thread == thread), None)
        say(f"node '{node}' printed: {line}" if node else line)
