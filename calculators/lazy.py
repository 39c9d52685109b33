"""OpenCV and numba, loaded when they are first used.

Whoever checks, draws or describes a graph asks the calculators for their ports and options; that needs neither library,
and loading both takes ten times as long as reading a graph. Modules write `from ..lazy import cv2, njit` and use the
names as they would use the libraries'.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["cv2", "njit"]


class _Module:
    """Stands for a module, and looks up in it whatever it is asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_lock = threading.RLock()


class _Kernel:
    """Stands for a compiled function until its first call, and then puts that in its place."""

    def __init__(self, function: FunctionType, flags: dict[str, Any]) -> None:
        self._function = function
        self._flags = flags
        self._compiled: Any = None
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self.__module__, self.__qualname__ = function.__module__, function.__qualname__
        self.__wrapped__ = function

    def __call__(self, *arguments: Any) -> Any:
        return (self._compiled or self.compiled())(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspection looks for in passing
            raise AttributeError(name)
        return getattr(self.compiled(), name)

    def compiled(self) -> Any:
        """numba's function; the kernels it calls become numba's too, since numba knows no others."""
        with _lock:
            if self._compiled is None:
                import numba

                scope = self._function.__globals__
                compiled = numba.njit(**self._flags)(self._function)
                for name in self._function.__code__.co_names:
                    called = scope.get(name)
                    if isinstance(called, _Kernel) and called is not self:
                        scope[name] = called.compiled()
                if scope.get(self.__name__) is self:
                    scope[self.__name__] = compiled
                self._compiled = compiled
            return self._compiled


if TYPE_CHECKING:
    import cv2
    from numba import njit
else:
    cv2 = _Module("cv2")

    def njit(**flags: Any) -> Callable[[FunctionType], _Kernel]:
        """`numba.njit` that compiles at the first call; `flags` are numba's."""
        return lambda function: _Kernel(function, flags)
