"""OpenCV and numba, loaded when they are first used.

Whoever checks, draws or describes a graph asks the calculators for their ports and options; that needs neither library,
and loading both takes ten times as long as reading a graph. Modules write `from ..lazy import cv2, njit` and use the
names as they would use the libraries'.

A kernel with `cache=True` that was compiled once on a machine is called without numba from then on, see `machine_code`.
That is so for kernels that take arrays, tuples and numbers, fill arrays that they are given, and return numbers. One
that returns an array of its own, or assigns slices to slices, is called through numba, which then loads wherever it is
used.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

from graphflow import warm_up
from graphflow.cache import cache_folder

from . import machine_code

__all__ = ["cv2", "njit"]


class _Module:
    """Stands for a module, and looks up in it whatever it is asked for."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self.__name__), name)


_log = logging.getLogger("graphflow")
_lock = threading.RLock()
_KEPT = cache_folder() / "kernels"
_kernels: list[_Kernel] = []  # those that no run has loaded yet
_entries: machine_code.KeptEntries | None = None
_in_place: dict[int, tuple[Any, _Kernel]] = {}  # by its id: what took the place of a kernel in its module


def _kept_entries() -> machine_code.KeptEntries:
    global _entries
    if _entries is None:
        chosen = os.environ.get("NUMBA_CACHE_DIR")
        _entries = machine_code.KeptEntries((Path(chosen) if chosen else _KEPT) / "machine_code")
    return _entries


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
        self._call: Callable[..., Any] | None = None
        self._tried: set[tuple[Any, ...]] = set()  # signatures that have an entry, or cannot have one
        self._stem: str | None = None
        self._called_by_kernels = False
        self.__name__, self.__doc__ = function.__name__, function.__doc__
        self.__module__, self.__qualname__ = function.__module__, function.__qualname__
        self.__wrapped__ = function

    def __call__(self, *arguments: Any) -> Any:
        return (self._call or self.callable())(*arguments)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what inspection looks for in passing
            raise AttributeError(name)
        return getattr(self.compiled(), name)

    def callable(self) -> Callable[..., Any]:
        """What is called in the kernel's place from now on: kept machine code where there is some, else numba's."""
        with _lock:
            if self._call is None:
                if self._is_kept():
                    self._link(_kept_entries().find(self.stem()))
                else:
                    self._put(self.compiled())
            assert self._call is not None
            return self._call

    def compiled(self) -> Any:
        """numba's function; for it the kernels that it calls become numba's too, since numba knows no others."""
        with _lock:
            if self._compiled is None:
                import numba

                scope = self._function.__globals__
                called = {name: _behind(scope.get(name)) for name in self._function.__code__.co_names}
                kernels = {name: kernel for name, kernel in called.items() if kernel not in (None, self)}
                function = self._function
                if any(each is not None and each._is_kept() for each in called.values()):
                    function = _copied(function, dict(scope))  # its module goes on with the machine code
                for name, kernel in kernels.items():
                    assert kernel is not None
                    kernel._called_by_kernels = True
                    function.__globals__[name] = kernel.compiled()
                with _kept_apart(numba.config):
                    self._compiled = numba.njit(**self._flags)(function)
                if function is not self._function:
                    function.__globals__[self.__name__] = self._compiled
                if not self._is_kept():
                    self._put(self._compiled)
            return self._compiled

    def stem(self) -> str:
        """What the names of its entries begin with; another one after each change of its code.

        Raises:
            LookupError: it uses something that cannot be told apart.
        """
        if self._stem is None:

            def stem_of(value: Any) -> str:
                kernel = _behind(value)
                return kernel.stem() if kernel is not None and kernel is not self else ""

            known = machine_code.fingerprint(self._function, self._flags.items(), stem_of)
            self._stem = f"{self.__module__.rpartition('.')[2]}.{self.__name__}-{known}"
        return self._stem

    def load(self) -> bool:
        """Loads what is kept of it, without numba; whether numba's cache has more of it."""
        if not self._is_kept():
            return True
        self.callable()
        return _kept_entries().refused(self.stem())

    def load_compiled(self) -> None:
        """Loads what numba's cache on disk has of it; a kernel that only kernels call is part of theirs."""
        compiled = self.compiled()
        if self._called_by_kernels:
            return
        # numba has no public way to ask for this; without it a kernel is loaded at its first call
        file = getattr(compiled._cache, "_cache_file", None)
        for signature, *_ in list(file._load_index() if file else ()):
            compiled.compile(signature)

    def _is_kept(self) -> bool:
        if not self._flags.get("cache") or not machine_code.usable():
            return False
        try:
            self.stem()
        except (LookupError, RecursionError) as error:
            _log.debug("kernel %s is left to numba: %s", self.__name__, error)
            return False
        return True

    def _put(self, call: Callable[..., Any]) -> None:
        scope = self._function.__globals__
        if _behind(scope.get(self.__name__)) is self:
            scope[self.__name__] = call
        self._call = call
        _in_place[id(call)] = (call, self)

    def _link(self, entries: Iterator[machine_code.Entry]) -> None:
        call = self._call or self._through_numba
        for entry in entries:
            try:
                call = machine_code.load(entry, call)
            except LookupError as error:
                _log.debug("machine code of kernel %s does not fit: %s", self.__name__, error)
        self._put(call)

    def _through_numba(self, *arguments: Any) -> Any:
        compiled = self.compiled()
        found = compiled(*arguments)
        if len(compiled.overloads) > len(self._tried):
            with _lock:
                for signature in [each for each in compiled.overloads if each not in self._tried]:
                    self._tried.add(signature)
                    self._keep(compiled, signature)
        return found

    def _keep(self, compiled: Any, signature: tuple[Any, ...]) -> None:
        """Makes machine code of what numba has just compiled, and calls that from now on."""
        name = f"{self.stem()}-{hashlib.sha256(repr(signature).encode()).hexdigest()[:8]}"
        try:
            from .kernel_entry import make_entry

            entry = make_entry(name, compiled, signature, bool(self._flags.get("nogil")))
            _kept_entries().keep(entry)
            self._link(iter([entry]))
        except Exception as error:  # whatever other versions of numba and llvmlite raise
            _log.debug("kernel %s is left to numba: %s", self.__name__, error)
            _kept_entries().refuse(name)
            if self._call == self._through_numba:
                self._put(compiled)


def _behind(value: Any) -> _Kernel | None:
    """The kernel that this is, or took the place of."""
    return value if isinstance(value, _Kernel) else _in_place.get(id(value), (None, None))[1]


def _copied(function: FunctionType, scope: dict[str, Any]) -> FunctionType:
    copied = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, function.__closure__)
    copied.__module__, copied.__qualname__ = function.__module__, function.__qualname__
    return copied


def _load_kernels() -> None:
    """Loads the kernels of all modules imported so far before the first frame needs them."""
    kernels = list(_kernels)
    _kernels.clear()
    left = [kernel for kernel in kernels if kernel.load()]
    if left or not _kept_entries().any():
        importlib.import_module("numba")  # takes half a second, and is needed where nothing is kept
    for kernel in left:
        kernel.compiled()
    for kernel in left:
        kernel.load_compiled()


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
