"""Compiled kernels as files of machine code, loaded and called without numba.

Taking kernels from numba's own cache needs numba, which with scipy takes longer to load than everything else a graph
needs. What is kept here needs llvmlite alone; `kernel_entry` makes it. The code knows how CPython and numpy lay out
their objects, which their ABIs fix; that is looked at before anything is loaded, and numba does it all where it is not
so. An entry takes exactly the types it was compiled for. It hands other arguments on, in the end to numba.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import struct
import sys
import sysconfig
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

# Part of the key: raise it with every change to what entries are or need.
_VERSION = 1

VALUE_OF_SCALAR = 16
"""Where the number is in a float and in numpy's scalars, bytes from the start of the object, as all offsets here."""

SIZE_OF_TUPLE, ITEMS_OF_TUPLE = 16, 24


class _ArrayFields(NamedTuple):
    """Where the fields of numpy's arrays are."""

    data: int
    dimensions: int
    shape: int
    strides: int
    dtype: int
    flags: int


ARRAY_FIELDS = _ArrayFields(data=16, dimensions=24, shape=32, strides=40, dtype=56, flags=64)


class Entry(NamedTuple):
    """A kernel's machine code for arguments of certain types.

    Attributes:
        name: of the function in it that Python calls.
        needs: what the slots of its table hold: `call NAME`, a function of CPython; `object MODULE.NAME`; `dtype NAME`.
        externals: functions of the C library that it calls.
        code: an object file.
    """

    name: str
    needs: tuple[str, ...]
    externals: tuple[str, ...]
    code: bytes


class _Method(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


_FAST_CALL = 0x80  # METH_FASTCALL: (self, arguments, count)
_held: list[Any] = []  # what the machine code points to


@functools.cache
def usable() -> bool:
    """Whether objects lie in memory as the code expects, and nobody asked numba for something else."""
    if sys.implementation.name != "cpython" or struct.calcsize("P") != 8 or sys.byteorder != "little":
        return False
    if hasattr(sys, "getobjects") or sysconfig.get_config_var("Py_GIL_DISABLED"):  # their objects begin differently
        return False
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0" or Path(".numba_config.yaml").exists():
        return False
    array: Any = np.zeros((3, 5), np.float32)[:, :4]
    at, fields = id(array), ARRAY_FIELDS

    def read(where: int, kind: Any) -> Any:
        return kind.from_address(where).value

    word = ctypes.c_int64
    shape, strides = (read(at + where, word) for where in (fields.shape, fields.strides))
    number = np.float32(1.5)
    pair = (array, number)
    return bool(
        read(at + 8, word) == id(np.ndarray)
        and read(at + fields.data, word) == array.ctypes.data
        and read(at + fields.dimensions, ctypes.c_int) == 2
        and [read(shape, word), read(shape + 8, word)] == [3, 4]
        and [read(strides, word), read(strides + 8, word)] == [20, 4]
        and read(at + fields.dtype, word) == id(np.dtype(np.float32))
        and read(at + fields.flags, ctypes.c_int) & 0x501 == 0x500
        and read(id(number) + VALUE_OF_SCALAR, ctypes.c_float) == 1.5
        and read(id(float("2.5")) + VALUE_OF_SCALAR, ctypes.c_double) == 2.5
        and read(id(pair) + SIZE_OF_TUPLE, word) == 2
        and [read(id(pair) + ITEMS_OF_TUPLE + 8 * index, word) for index in range(2)] == [at, id(number)]
    )


@functools.cache
def _engine() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine(jit=True)
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def load(entry: Entry, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    """The function that an entry is; arguments of other types go to `otherwise`.

    Raises:
        LookupError: something that the code needs is not there.
    """
    import llvmlite.binding as llvm

    pointers = [_pointer(need) for need in entry.needs]
    for name in entry.externals:
        if "numba" not in sys.modules or not llvm.address_of_symbol(name):  # numba says where they are, to the same end
            llvm.add_symbol(name, _of_c_library(name))
    engine = _engine()
    engine.add_object_file(llvm.ObjectFileRef.from_data(entry.code))
    engine.finalize_object()
    address = engine.get_function_address(entry.name)
    table = engine.get_global_value_address(f"{entry.name}.needs")
    if not address or not table:
        raise LookupError(entry.name)
    slots: Any = (ctypes.c_size_t * len(pointers)).from_address(table)
    slots[:] = pointers
    method = _Method(entry.name.encode(), address, _FAST_CALL, None)
    _held.append(method)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
    function: Callable[..., Any] = make(ctypes.addressof(method), otherwise, None)
    return function


@functools.cache
def _of_c_library(name: str) -> int:
    known: dict[str, tuple[str | None, ...]] = {"win32": ("ucrtbase",), "linux": (None, "libm.so.6")}
    for library in known.get(sys.platform, (None,)):
        try:
            return ctypes.cast(getattr(ctypes.CDLL(library), name), ctypes.c_void_p).value or 0
        except (OSError, AttributeError):
            continue
    raise LookupError(name)


@functools.cache
def _pointer(need: str) -> int:
    kind, _, name = need.partition(" ")
    if kind == "call":
        try:
            return ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value or 0
        except AttributeError:
            raise LookupError(name) from None
    if kind == "dtype":
        found: Any = np.dtype(name)
    else:
        module, _, attribute = name.rpartition(".")
        try:
            found = getattr(sys.modules[module], attribute)
        except AttributeError:
            raise LookupError(name) from None
    _held.append(found)
    return id(found)


class KeptEntries:
    """The entries in a folder of the cache that this machine, these libraries and these settings can use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _surroundings()
        self._names: list[str] | None = None

    def any(self) -> bool:
        """Whether there are any at all."""
        return bool(self._listed())

    def find(self, stem: str) -> Iterator[Entry]:
        """The intact entries whose names begin with `STEM-`."""
        for name in self._listed():
            if not name.startswith(f"{stem}-") or not name.endswith(".entry"):
                continue
            try:
                head, _, code = (self._folder / name).read_bytes().partition(b"\n")
                known = json.loads(head)
                if known["sha256"] == hashlib.sha256(code).hexdigest():
                    yield Entry(known["name"], tuple(known["needs"]), tuple(known["externals"]), code)
            except (OSError, ValueError, KeyError, TypeError):
                continue  # half a file: it is made again

    def refused(self, stem: str) -> bool:
        """Whether something under this stem has to be called through numba."""
        return any(name.startswith(f"{stem}-") and name.endswith(".numba") for name in self._listed())

    def keep(self, entry: Entry) -> None:
        """Writes an entry; where that cannot be it is made again in the next process."""
        head = {
            "name": entry.name,
            "needs": entry.needs,
            "externals": entry.externals,
            "sha256": hashlib.sha256(entry.code).hexdigest(),
        }
        self._write(f"{entry.name}.entry", json.dumps(head).encode() + b"\n" + entry.code)

    def refuse(self, name: str) -> None:
        """Notes that what would have this name has to be called through numba."""
        self._write(f"{name}.numba", b"")

    def _listed(self) -> list[str]:
        if self._names is None:
            try:
                self._names = sorted(os.listdir(self._folder))
            except OSError:
                self._names = []
        return self._names

    def _write(self, name: str, data: bytes) -> None:
        aside = self._folder / f".{name}.{os.getpid()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(data)
            aside.replace(self._folder / name)
        except OSError:
            return
        if self._names is not None and name not in self._names:
            self._names.append(name)


@functools.cache
def _surroundings() -> str:
    """What machine code depends on besides the kernel, in short."""
    import llvmlite.binding as llvm

    known = [
        _VERSION,
        sys.implementation.cache_tag,
        platform.machine(),
        *(importlib.metadata.version(name) for name in ("numba", "llvmlite", "numpy")),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        # NUMBA_BOUNDSCHECK, NUMBA_CPU_NAME, …
        *sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_")),
    ]
    return hashlib.sha256(repr(known).encode()).hexdigest()[:16]


def fingerprint(function: FunctionType, flags: Iterable[tuple[str, Any]], called: Callable[[Any], str]) -> str:
    """What tells a kernel's versions apart: its code, and what it finds in its module.

    Args:
        function: the kernel in Python.
        flags: how it is compiled.
        called: the fingerprint of another kernel, empty for what is none.

    Raises:
        LookupError: it uses something that cannot be told apart.
    """
    if function.__closure__:
        raise LookupError("variables of a function around it")
    found = hashlib.sha256(repr(sorted(flags)).encode())
    found.update(repr((function.__module__, function.__qualname__, function.__defaults__)).encode())
    codes = [function.__code__]
    for code in codes:
        found.update(code.co_code)
        found.update(repr((code.co_names, code.co_varnames, code.co_argcount)).encode())
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                codes.append(constant)
            else:
                found.update(repr(sorted(constant) if isinstance(constant, frozenset) else constant).encode())
        for name in code.co_names:
            if name in function.__globals__:
                value = function.__globals__[name]
                found.update(f"{name} {called(value) or _described(value)}".encode())
    return found.hexdigest()[:16]


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, int | float | bool | str | np.generic | None):
        return f"{type(value).__name__} {value!r}"
    if isinstance(value, tuple):
        return f"{type(value).__qualname__} {[_described(each) for each in value]}"
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__} {getattr(value, '_fields', '')}"
    raise LookupError(repr(value))
