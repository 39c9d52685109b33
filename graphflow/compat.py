"""For scripts written against MediaPipe: `import graphflow.compat as mp` in place of `import mediapipe as mp`.

What differs is in `docs/migration.md`.
"""

from __future__ import annotations

from typing import NoReturn

from graphflow import solutions

__all__ = ["solutions"]


def __getattr__(name: str) -> NoReturn:
    raise AttributeError(
        f"graphflow.compat has no '{name}': it stands in for MediaPipe's `solutions` alone; "
        "MediaPipe Tasks are still in the mediapipe package, which can be imported beside it"
    )
