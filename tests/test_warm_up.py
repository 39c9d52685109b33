"""What is made ready in the background when a run starts."""

import gc
import threading
from typing import Any

import numpy as np
import pytest
from graphflow.calculators import lazy
from graphflow.calculators.geometry import kernels
from graphflow.calculators.lazy import njit

from graphflow import warm_up
from graphflow.config import load
from graphflow.runtime import Graph

GRAPH = "inputs: [a]\noutputs: [b]\nnodes:\n  n: {calculator: PassThrough, inputs: [a], outputs: [b]}\n"


def run_once() -> None:
    graph = Graph(load(GRAPH))
    graph.start()
    graph.close_all_inputs()
    graph.wait_until_done()


def test_a_task_is_called_once_in_a_thread_of_its_own() -> None:
    called: list[str] = []
    done = threading.Event()

    def task() -> None:
        called.append(threading.current_thread().name)
        done.set()

    warm_up.before_first_run(task)
    assert not called
    run_once()
    assert done.wait(30)
    run_once()
    assert called == ["graphflow-warm-up"]


def test_a_task_that_fails_spoils_nothing(caplog: pytest.LogCaptureFixture) -> None:
    done = threading.Event()
    warm_up.before_first_run(lambda: 1 // 0)  # type: ignore[arg-type]
    warm_up.before_first_run(done.set)
    with caplog.at_level("DEBUG", "graphflow"):
        run_once()
        assert done.wait(30)
    assert "warming up failed" in caplog.text


def test_collections_go_on_when_the_last_one_is_done() -> None:
    for thread in threading.enumerate():
        if thread.name == "graphflow-warm-up":
            thread.join()
    assert gc.isenabled()
    with warm_up.without_collections():
        with warm_up.without_collections():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with warm_up.without_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_kernels_are_loaded_from_the_cache_before_they_are_called() -> None:
    points = np.zeros((3, 3), np.float32)
    kernels.rotate(points, 0.5)  # now it is in the cache
    function = lazy._behind(kernels._rotate)
    assert function is not None
    again: Any = njit(cache=True, nogil=True, error_model="numpy")(function.__wrapped__)
    assert not again.load()  # nothing is left for numba
    called = again.callable()
    assert type(called).__name__ == "builtin_function_or_method"
    turned = np.full((3, 3), np.nan, np.float32)
    called(points, 0.5, turned)
    assert (turned == 0).all()


def test_numbas_own_cache_is_read_for_what_only_numba_can_call() -> None:
    points, turned = np.zeros((3, 3), np.float32), np.empty((3, 3), np.float32)
    function = lazy._behind(kernels._rotate)
    assert function is not None
    first, again = (njit(cache=True, nogil=True, error_model="numpy")(function.__wrapped__) for _ in range(2))
    kernel: Any = first
    kernel.compiled()(points, 0.5, turned)  # now it is in that cache
    kernel = again
    assert not kernel.compiled().overloads
    kernel.load_compiled()
    assert kernel.compiled().overloads
