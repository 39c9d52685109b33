"""What may be made ready in the background while a graph's models load: compiled code above all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger("graphflow")
_lock = threading.Lock()
_waiting: list[Callable[[], None]] = []


def before_first_run(task: Callable[[], None]) -> None:
    """Has `task` called once, in a thread of its own, when the next run of any graph starts.

    For modules of calculators with something slow to load that is not needed to read a graph. The task must do nothing
    that would not happen anyway where it is first needed: nobody waits for it, and what it raises is only logged.
    """
    with _lock:
        _waiting.append(task)


def begin() -> None:
    """Starts what waits for a run; called by every run that starts."""
    with _lock:
        tasks = list(_waiting)
        _waiting.clear()
    if tasks:
        # not a daemon: the interpreter must not end in the middle of loading a library
        threading.Thread(target=_call, args=(tasks,), name="graphflow-warm-up").start()


def _call(tasks: list[Callable[[], None]]) -> None:
    for task in tasks:
        try:
            task()
        except Exception as error:
            _log.debug("warming up failed: %s", error, exc_info=True)
