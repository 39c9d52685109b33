"""Kernels that are called without numba: what their entries take, what they leave to numba, and when they are kept."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators import lazy, machine_code

# a module of its own: kernels that are kept need a file
KERNELS = """
import math
from typing import NamedTuple
import numpy as np
from graphflow.calculators.lazy import njit

class Coding(NamedTuple):
    start: int
    scale: np.float32

FACTOR = np.float32(3.0)

@njit(cache=True, nogil=True, error_model="numpy")
def of_each_kind(values, coding, pair, whole, number, single, flag, nothing):
    added = 0.0
    for value in values:
        added += value
    sums = coding.start + pair[1], coding.scale * single, pair[0] + number
    return (added, *sums, whole * 2, not flag, nothing is None)

@njit(cache=True, nogil=True)
def grid(values):
    total = 0
    for y in range(values.shape[0]):
        for x in range(values.shape[1]):
            total += (10 * y + x) * values[y, x]
    return total

@njit(cache=True, nogil=True)
def fill(values, out):
    scratch = np.zeros(values.size)
    for i in range(values.size):
        scratch[i] = math.exp(values[i])
    for i in range(values.size):
        out[i] = scratch[values.size - 1 - i] * FACTOR

@njit(cache=True, nogil=True)
def checked(values):
    if values.size > 3:
        raise ValueError("too many")
    return values.size

@njit(cache=True, nogil=True)
def doubled(values):
    return values * 2

@njit(cache=True, nogil=True)
def inner(value):
    return value + 1

@njit(cache=True, nogil=True)
def outer(value):
    return inner(value) * 2

@njit(cache=True, nogil=True)
def factorial(number):
    return number * factorial(number - 1) if number > 1 else 1
"""

Floats = npt.NDArray[np.float32]


def module_at(path: Path, text: str = KERNELS) -> ModuleType:
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # where an entry finds the class of a named tuple
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def kernels(folder: Path) -> Iterator[ModuleType]:
    before, lazy._entries = lazy._entries, machine_code.KeptEntries(folder)
    waiting = list(lazy._kernels)
    yield module_at(folder / "kernels_of_a_test.py")
    lazy._entries = before
    lazy._kernels[:] = waiting


def has_entry(kernel: Any) -> bool:
    return type(kernel).__name__ == "builtin_function_or_method"


def test_every_kind_of_argument_and_result(kernels: ModuleType) -> None:
    values = np.arange(5, dtype=np.float32)
    given = (values, kernels.Coding(4, np.float32(0.1)), (0.5, 7), 2**40, 0.1, np.float32(1.7), True, None)
    expected = (10.0, 11, float(np.float32(0.1) * np.float32(1.7)), 0.6, 2**41, False, True)
    assert kernels.of_each_kind(*given) == expected  # numba's
    assert has_entry(kernels.of_each_kind)
    found = kernels.of_each_kind(*given)
    assert found == expected
    assert [type(value) for value in found] == [float, int, float, float, int, bool, bool]
    of_numpy = (values, given[1], (np.float64(0.5), np.int64(7)), np.int64(2**40), np.float64(0.1), given[5], np.True_)
    assert kernels.of_each_kind(*of_numpy, None) == expected


GRID: npt.NDArray[np.int64] = np.arange(12).reshape(3, 4)


@pytest.mark.parametrize(
    "array",
    [
        GRID,
        np.asfortranarray(GRID),
        np.arange(24).reshape(3, 8)[:, ::2],
        GRID[::-1],
        GRID[:0],
        GRID.astype(np.float32),
        GRID.astype(np.uint8),
    ],
    ids=["C", "F", "strided", "backwards", "empty", "float32", "uint8"],
)
@pytest.mark.parametrize("writeable", [True, False])
def test_every_kind_of_array(kernels: ModuleType, array: npt.NDArray[Any], writeable: bool) -> None:
    array = array.copy("K") if array.flags.c_contiguous or array.flags.f_contiguous else array
    array.flags.writeable = writeable
    expected = sum((10 * y + x) * array[y, x].item() for y in range(array.shape[0]) for x in range(array.shape[1]))
    assert kernels.grid(array) == expected
    assert has_entry(kernels.grid)
    assert kernels.grid(array) == expected


def test_what_no_entry_takes_is_left_to_numba(kernels: ModuleType) -> None:
    from numba import TypingError

    kernels.grid(GRID)
    assert has_entry(kernels.grid)
    with pytest.raises(TypeError, match="argument"):
        kernels.grid()
    with pytest.raises(TypingError):
        kernels.grid(GRID[0])
    with pytest.raises(TypingError):
        kernels.grid("text")
    swapped = GRID.astype(GRID.dtype.newbyteorder())
    with pytest.raises(TypingError):
        kernels.grid(swapped)


def test_a_kernel_may_allocate_and_call_the_c_library(kernels: ModuleType) -> None:
    for count in (0, 1, 5, 20000):  # the last one without the interpreter's lock
        values, out = np.linspace(-2, 2, count), np.empty(count)
        for _ in range(3):
            kernels.fill(values, out)
            np.testing.assert_allclose(out, np.exp(values)[::-1] * 3, rtol=1e-15)
    assert has_entry(kernels.fill)


def test_an_error_is_numbas(kernels: ModuleType) -> None:
    assert kernels.checked(np.zeros(2)) == 2
    assert has_entry(kernels.checked)
    with pytest.raises(ValueError, match="too many"):
        kernels.checked(np.zeros(4))


def test_a_kernel_that_makes_its_result_stays_numbas(kernels: ModuleType) -> None:
    for _ in range(2):
        assert kernels.doubled(np.arange(3)).tolist() == [0, 2, 4]
    assert type(kernels.doubled).__name__ == "CPUDispatcher"


def test_kernels_that_call_kernels_and_are_called(kernels: ModuleType) -> None:
    assert [kernels.inner(3), kernels.outer(3), kernels.inner(2.5), kernels.outer(2.5)] == [4, 8, 3.5, 7.0]
    assert has_entry(kernels.inner)
    assert has_entry(kernels.outer)


def test_a_kernel_may_call_itself(kernels: ModuleType) -> None:
    assert [kernels.factorial(5), kernels.factorial(6)] == [120, 720]


Change = Callable[[str], str]


@pytest.mark.parametrize(
    ("change", "kernel", "differs"),
    [
        (lambda text: text.replace("3.0", "4.0"), "fill", True),
        (lambda text: text.replace("np.zeros", "np.ones"), "fill", True),
        (lambda text: text.replace("value + 1", "value + 2"), "outer", True),
        (lambda text: text.replace("nogil=True", "nogil=False"), "outer", True),
        (lambda text: text.replace("value + 1", "value + 2"), "fill", False),
        (lambda text: "\n\n" + text, "fill", False),
    ],
    ids=["constant", "code", "called kernel", "flags", "another kernel", "line numbers"],
)
def test_another_kernel_has_another_name(tmp_path: Path, change: Change, kernel: str, differs: bool) -> None:
    waiting = list(lazy._kernels)
    before, after = (module_at(tmp_path / "same_name.py", text) for text in (KERNELS, change(KERNELS)))
    stems = [getattr(module, kernel).stem() for module in (before, after)]
    lazy._kernels[:] = waiting
    assert (stems[0] != stems[1]) == differs


def test_damaged_entries_are_passed_over(kernels: ModuleType, folder: Path) -> None:
    kernels.checked(np.zeros(2))
    kept = machine_code.KeptEntries(folder)
    (path,) = folder.glob("*/*.checked-*.entry")
    stem = path.name.rpartition("-")[0]
    (entry,) = kept.find(stem)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:40], b"", whole.replace(b"sha256", b"sha512")):
        path.write_bytes(damaged)
        assert list(kept.find(stem)) == []
    path.write_bytes(whole)
    assert list(kept.find(stem)) == [entry]


def test_what_an_entry_needs_must_be_there(kernels: ModuleType, folder: Path) -> None:
    kernels.checked(np.zeros(2))
    (path,) = folder.glob("*/*.checked-*.entry")
    (entry,) = machine_code.KeptEntries(folder).find(path.name.rpartition("-")[0])
    for broken in (
        entry._replace(needs=(*entry.needs, "object numpy.no_such_thing")),
        entry._replace(needs=(*entry.needs, "object no_such_module.Thing")),
        entry._replace(needs=(*entry.needs, "call Py_NoSuchFunction")),
        entry._replace(externals=("no_such_function",)),
    ):
        with pytest.raises(LookupError):
            machine_code.load(broken, print)


CALLS = """
import sys
import numpy as np
from graphflow.calculators.geometry import kernels
points = np.arange(6, dtype=np.float32).reshape(2, 3)
print(kernels.rotate(points, 0.5).tobytes().hex(), *kernels.surrounding_rect(points))
print([name for name in ("numba", "scipy") if name in sys.modules])
"""


def in_a_process_of_its_own(code: str, **environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env=os.environ | environment,
    )
    return done.stdout.splitlines()


def test_the_next_process_needs_no_numba(tmp_path: Path) -> None:
    first = in_a_process_of_its_own(CALLS, NUMBA_CACHE_DIR=str(tmp_path))
    second = in_a_process_of_its_own(CALLS, NUMBA_CACHE_DIR=str(tmp_path))
    assert first[0] == second[0]
    assert first[1].startswith("['numba'")
    assert second[1] == "[]"
    checked = in_a_process_of_its_own(CALLS, NUMBA_CACHE_DIR=str(tmp_path), NUMBA_BOUNDSCHECK="1")
    assert checked[0] == first[0]
    assert checked[1].startswith("['numba'")  # other code


def test_numba_without_its_compiler_is_asked_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_code.usable.cache_clear()
    try:
        assert machine_code.usable()
        monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
        machine_code.usable.cache_clear()
        assert not machine_code.usable()
    finally:
        machine_code.usable.cache_clear()


HOLISTIC = """
import sys
import numpy as np
import graphflow
graph = graphflow.load("holistic")
graph.observe("pose_landmarks", lambda packet: None)
graph.start()
graph.add_packet("image", np.load(sys.argv[1]) if sys.argv[1:] else np.zeros((240, 320, 3), np.uint8), 0)
graph.close_all_inputs()
graph.wait_until_done()
print([name for name in ("numba", "scipy") if name in sys.modules])
"""


@pytest.mark.slow
def test_holistic_needs_no_numba(tmp_path: Path) -> None:
    in_a_process_of_its_own(HOLISTIC, NUMBA_CACHE_DIR=str(tmp_path))
    assert in_a_process_of_its_own(HOLISTIC, NUMBA_CACHE_DIR=str(tmp_path)) == ["[]"]
