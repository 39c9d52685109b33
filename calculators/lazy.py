"""OpenCV and numba, loaded when they are first used.

Whoever checks, draws or describes a graph asks the calculators for their ports and options; that needs neither library,
and loading both takes ten times as long as reading a graph. Modules write `from ..lazy import cv2, njit` and use the
names as they would use the libraries'.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import TYPE_CHECKING, Any

from graphflow import warm_up
from graphflow.cache import cache_folder

__all__ = ["cv2", "njit"]


class _Module:
    """Stands for a module, and looks up in it whatever it is asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_lock = threading.RLock()
_KEPT = cache_folder() / "kernels"
_kernels: list[_Kernel] = []  # those that no run has loaded yet


@contextmanager
def _kept_apart(config: Any) -> Iterator[None]:
    """Lets the kernels made meanwhile be kept in graphflow's cache; NUMBA_CACHE_DIR moves them, as numba says."""
    if config.CACHE_DIR:
        yield
        return
    config.CACHE_DIR = str(_KEPT)
    try:
        yield
    finally:
        config.CACHE_DIR = ""


class _Kernel:
    """Stands for a compiled function until its first call, and then puts that in its place."""

    def __init__(self, function: FunctionType, flags: dict[str, Any]) -> None:
        self._function = function
        self._flags = flags
        self._compiled: Any = None
        self._called_by_kernels = False
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
                with _kept_apart(numba.config):
                    compiled = numba.njit(**self._flags)(self._function)
                for name in self._function.__code__.co_names:
                    called = scope.get(name)
                    if isinstance(called, _Kernel) and called is not self:
                        called._called_by_kernels = True
                        scope[name] = called.compiled()
                if scope.get(self.__name__) is self:
                    scope[self.__name__] = compiled
                self._compiled = compiled
            return self._compiled

    def load(self) -> None:
        """Loads what numba's cache on disk has of it; a kernel that only kernels call is part of theirs."""
        compiled = self.compiled()
        if self._called_by_kernels:
            return
        # numba has no public way to ask for this; without it a kernel is loaded at its first call
        file = getattr(compiled._cache, "_cache_file", None)
        for signature, *_ in list(file._load_index() if file else ()):
            compiled.compile(signature)


def _load_kernels() -> None:
    """Loads the kernels of all modules imported so far before the first frame needs them; numba takes half a second."""
    kernels = list(_kernels)
    _kernels.clear()
    for kernel in kernels:
        kernel.compiled()
    for kernel in kernels:
        kernel.load()


if TYPE_CHECKING:
    import cv2
    from numba import njit
else:
    cv2 = _Module("cv2")

    def njit(**flags: Any) -> Callable[[FunctionType], _Kernel]:
        """`numba.njit` that compiles at the first call; `flags` are numba's."""

        def decorate(function: FunctionType) -> _Kernel:
            kernel = _Kernel(function, flags)
            if not _kernels:
                warm_up.before_first_run(_load_kernels)
            _kernels.append(kernel)
            return kernel

        return decorate
