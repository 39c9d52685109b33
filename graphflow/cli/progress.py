"""How far a run or a fetch is: a live bar in a terminal, now and then a line elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from graphflow.cli.reporting import say, stderr

if TYPE_CHECKING:
    from graphflow.inference import FetchProgress

_LINE_SECONDS: Final = 10.0
"""Time between two lines where there is no terminal."""


class RunProgress:
    """Frames done, of how many, how fast, and how many a live source dropped."""

    def __init__(self, name: str, total: int | None, live: bool) -> None:
        self._name = name
        self._total = total
        self._live = live
        self._bar: Any = None

    def __enter__(self) -> Self:
        if stderr().is_terminal:
            self._bar = _run_bar(self._total)
            self._task = self._bar.add_task(self._name, total=self._total, rate="", dropped="")
            self._bar.start()
        self._first: float | None = None
        self._said = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, frames: int, dropped: int) -> None:
        """Shows the state; to be called several times a second."""
        now = time.monotonic()
        if frames and self._first is None:
            self._first = now
        rate = (frames - 1) / (now - self._first) if self._first is not None and now > self._first else 0.0
        rate_text = f"{rate:.1f} fps" if frames > 1 else "starting"
        dropped_text = f"{dropped} dropped" if self._live or dropped else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=frames, rate=rate_text, dropped=dropped_text)
        elif now - self._said >= _LINE_SECONDS:
            self._said = now
            total = f" of {self._total}" if self._total else ""
            say(", ".join(filter(None, (f"{self._name}: {frames}{total} frames", rate_text, dropped_text))))

    def finished(self, frames: int, dropped: int) -> None:
        """Shows the last state; containers often announce a frame more or less than they have."""
        self.update(frames, dropped)
        if self._bar is not None:
            self._bar.update(self._task, total=frames)


class FetchBar:
    """Bytes of a fetch; call it with each report of the model store."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._step = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, progress: FetchProgress) -> None:
        if not stderr().is_terminal:
            if progress.step != self._step:
                size = f" ({progress.total_bytes / 1e6:.1f} MB)" if progress.total_bytes else ""
                say(f"{progress.step}{size}")
        else:
            if self._bar is None:
                self._bar = _fetch_bar()
                self._bar.start()
            if progress.step != self._step:
                self._task = self._bar.add_task(progress.step, total=None)
            self._bar.update(self._task, completed=progress.done_bytes, total=progress.total_bytes or None)
        self._step = progress.step


def _run_bar(total: int | None) -> Any:
    from rich import progress

    count = progress.MofNCompleteColumn() if total else progress.TextColumn("{task.completed:.0f}")
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        count,
        progress.TextColumn("frames"),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TextColumn("{task.fields[dropped]}"),
        progress.TimeRemainingColumn() if total else progress.TimeElapsedColumn(),
        console=stderr(),
    )


def _fetch_bar() -> Any:
    from rich import progress

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.DownloadColumn(),
        progress.TimeRemainingColumn(),
        console=stderr(),
    )
