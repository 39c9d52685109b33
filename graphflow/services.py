"""Services: objects shared by the nodes of a graph, found by key rather than sent through streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Service:
    """Something that calculators of a graph share: a pool, a cache, a connection, a way to open models.

    A calculator lists what it uses in its class attribute `services` and reads it with `context.service(service)`. The
    application gives the object with `Graph.set_service`; otherwise `create` makes one when the graph starts.

    Attributes:
        key: unique name, such as `graphflow.inference`.
        create: makes the object where the application gave none; None where only the application can.
        optional: whether the graph starts without it; `context.service` is None then.
    """

    key: str
    create: Callable[[], Any] | None = None
    optional: bool = False


LIVE: Final = Service("graphflow.live", optional=True)
"""Whether frames come when they come, so that those that nobody has time for may be dropped; False for files."""
