"""What may be made ready in the background while a graph's models load: compiled code above all."""

from __future__ import annotations

import contextlib
import gc
import logging
import threading
from collections.abc import Callable, Iterator

_log = logging.getLogger("graphflow")
_lock = threading.Lock()
_waiting: list[Callable[[], None]] = []
_putting_off = 0
_collects = False


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


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Puts off the garbage collector, of the whole process, while hundreds of thousands of objects are made that stay.

    It would go through all of them again and again: a fifth of the time that libraries and graphs take to load.
    """
    global _putting_off, _collects
    with _lock:
        if not _putting_off:
            _collects = gc.isenabled()
            gc.disable()
        _putting_off += 1
    try:
        yield
    finally:
        with _lock:
            _putting_off -= 1
            if not _putting_off and _collects:
                gc.enable()


def _call(tasks: list[Callable[[], None]]) -> None:
    with without_collections():
        for task in tasks:
            try:
                task()
            except Exception as error:
                _log.debug("warming up failed: %s", error, exc_info=True)
