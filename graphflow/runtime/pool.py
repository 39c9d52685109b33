"""A pool of threads and the tasks that wait for it. Everything here runs under the scheduler's lock."""

from __future__ import annotations

import heapq
import itertools
import threading

from graphflow.runtime.node import Task


class Pool:
    """Threads with a list of waiting tasks, most urgent first; sources wait apart.

    A source goes first where the nodes behind it are about to run out of work, so that frames are decoded while
    networks run, and last where they have enough, so that what was begun is finished before more is begun.
    """

    def __init__(self, name: str, threads: int, lock: threading.RLock) -> None:
        self.name = name
        self.threads = threads
        self.waiting: list[tuple[int, int, Task]] = []
        self.sources: list[Task] = []
        self._order = itertools.count()
        self.changed = threading.Condition(lock)
        self.idle = 0
        self.light_running = 0

    def empty(self) -> bool:
        """Whether no task waits."""
        return not self.waiting and not self.sources

    def next_is_light(self) -> bool:
        """Whether the task that comes next is a short call; false where none waits."""
        return bool(self.waiting) and self.waiting[0][2].node.light

    def put(self, urgency: int, task: Task) -> None:
        """Lets a task wait; of equally urgent ones the first to come is the first to go."""
        heapq.heappush(self.waiting, (urgency, next(self._order), task))

    def take(self) -> Task:
        """The next task to run, of at least one that waits."""
        if self.sources and self.waiting and self.threads > 1:
            for position, task in enumerate(self.sources):
                if not task.node.is_ahead():
                    return self.sources.pop(position)
        return heapq.heappop(self.waiting)[2] if self.waiting else self.sources.pop(0)

    def may_take(self, rested: bool) -> bool:
        """Whether an idle thread should take the next task: short calls are left to the thread that runs them already.

        Between short calls one thread is faster than two that hand them to each other. Should a call that was always
        short take long for once, a thread that has rested takes over what waits behind it.
        """
        return not self.empty() and (rested or not self.light_running or not self.next_is_light())

    def rouse(self) -> None:
        """Wakes as many idle threads as tasks wait."""
        if self.idle and not self.empty():
            self.changed.notify(min(self.idle, len(self.waiting) + len(self.sources)))

    def rouse_for_long_calls(self) -> None:
        """Wakes an idle thread where the call that comes next is worth handing over."""
        if self.idle and not self.empty() and not self.next_is_light():
            self.changed.notify()

    def clear(self) -> None:
        """Forgets what waits."""
        self.waiting.clear()
        self.sources.clear()
