"""Kernels that are compiled when they are first called."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.lazy import cv2, njit

from graphflow import registry

HEAVY = ("numba", "cv2", "onnxruntime", "onnx", "tflite", "av", "scipy", "skimage")


def in_a_process_of_its_own(code: str, folder: Path | None = None) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, cwd=folder)
    return done.stdout.strip()


def test_ports_and_options_of_every_calculator_need_no_library() -> None:
    code = (
        "import sys; from graphflow import registry\n"
        "found = [registry.find(name) for name in registry.names()]\n"
        "assert len(found) > 100 and all(isinstance(entry.ports(), tuple) for entry in found)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert in_a_process_of_its_own(code) == "[]"


def test_checking_a_shipped_graph_needs_no_library() -> None:
    code = (
        "import sys; from graphflow import config\n"
        "for name in config.graph_names(): config.load(name)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert in_a_process_of_its_own(code) == "[]"


# a module of its own: pytest looks up attributes of whatever it finds in this one
KERNELS = """
@njit(nogil=True)
def twice(value):
    return value * 2.0

@njit(nogil=True)
def six_times(value):
    return twice(value) * 3.0
"""


def test_a_kernel_may_call_a_kernel_and_gives_its_place_to_the_compiled_one() -> None:
    scope: dict[str, Any] = {"njit": njit}
    exec(KERNELS, scope)
    before = scope["six_times"]
    assert type(before).__name__ == "_Kernel"
    results: list[float] = []
    threads = [threading.Thread(target=lambda: results.append(before(1.5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [9.0] * 4
    assert [type(scope[name]).__name__ for name in ("twice", "six_times")] == ["CPUDispatcher"] * 2
    assert before.py_func is before.__wrapped__


def test_the_module_has_what_the_library_has() -> None:
    assert cv2.resize(np.zeros((2, 2), np.uint8), (4, 3)).shape == (3, 4)
    with pytest.raises(AttributeError, match="no attribute 'resise'"):
        _ = cv2.resise


def test_every_kernel_is_found_where_it_was() -> None:
    from graphflow.calculators.tensor import sigmoid

    assert registry.find("TensorsToFloats")  # imports it
    assert sigmoid.activate(np.zeros(2, np.float32), "SIGMOID").tolist() == [0.5, 0.5]


COMMANDS = (
    ["--help"],
    ["check", "holistic"],
    ["schema", "-o", "s.json"],
    ["draw", "holistic", "-o", "d.html"],
    ["draw", "holistic", "-o", "d.svg", "--depth", "9"],
    ["describe", "holistic"],
    ["list"],
    ["new", "calculator", "Mine"],
)


def test_commands_for_authors_need_no_library(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom graphflow.cli import main\n"
        f"for arguments in {COMMANDS!r}:\n"
        "    try: main(arguments)\n"
        "    except SystemExit as end: assert not end.code, (arguments, end.code)\n"
        f"    found = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "    assert not found, (arguments, found)\n"
    )
    in_a_process_of_its_own(code, tmp_path)
