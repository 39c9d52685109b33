"""What is made ready in the background when a run starts."""

import gc
import threading

import numpy as np
import pytest
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
    compiled = kernels._rotate
    again = njit(cache=True, nogil=True, error_model="numpy")(compiled.py_func)
    assert not again.compiled().overloads
    again.load()
    assert set(compiled.overloads) <= set(again.compiled().overloads)
