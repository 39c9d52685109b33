"""How a run ends early: Ctrl-C and SIGTERM, once to finish what is on its way, twice to drop it."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any, Final, Self

TERMINATED: Final = 128 + signal.SIGTERM
"""Exit code of a process that SIGTERM ended."""


class Interruptions:
    """Counts Ctrl-C and SIGTERM while it is entered, instead of letting them end the process.

    Outside of the main thread, where no signal arrives, it counts nothing.
    """

    def __init__(self) -> None:
        self.count = 0
        self.terminated = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._arrived)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        self.count += 1
        self.terminated |= number == signal.SIGTERM
