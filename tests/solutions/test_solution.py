"""What all solutions have in common, on small images without anybody; what they find is in `test_results.py`."""

from __future__ import annotations

import gc
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphflow.compat as mp
from graphflow.errors import ModelError
from graphflow.inference import ModelStore
from graphflow.solutions.solution import FRAME_US, Solution

SOLUTIONS = [
    mp.solutions.holistic.Holistic,
    mp.solutions.pose.Pose,
    mp.solutions.hands.Hands,
    mp.solutions.face_mesh.FaceMesh,
    mp.solutions.face_detection.FaceDetection,
    mp.solutions.selfie_segmentation.SelfieSegmentation,
]
NOBODY = np.zeros((48, 64, 3), np.uint8)

MEMORY = str(Path(__file__).parent / "memory.yaml")


@pytest.fixture(scope="module")
def models() -> None:
    """The models, or no test."""
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")


class Counter(Solution):
    """Counts images since the start."""

    def __init__(self, static_image_mode: bool = False, limit: int = 1000) -> None:
        super().__init__(MEMORY, ("count", "bright"), params={"limit": limit}, static_image_mode=static_image_mode)

    def process(self, image: Any) -> dict[str, Any]:
        return dict(self._run(image))


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("graphflow-Memory")]


def test_time_goes_on_by_a_frame_each_call() -> None:
    with Counter() as counter:
        found = [counter.process(NOBODY)["count"] for _ in range(3)]
    assert found == [(1, FRAME_US), (2, 2 * FRAME_US), (3, 3 * FRAME_US)]


def test_images_have_nothing_to_do_with_each_other_in_static_mode() -> None:
    with Counter(static_image_mode=True) as counter:
        found = [counter.process(NOBODY)["count"] for _ in range(3)]
    assert found == [(1, FRAME_US), (1, 2 * FRAME_US), (1, 3 * FRAME_US)]


def test_reset_forgets_the_images_but_not_the_time() -> None:
    with Counter() as counter:
        counter.process(NOBODY)
        counter.reset()
        assert counter.process(NOBODY)["count"] == (1, 2 * FRAME_US)
    counter.reset()  # closed: nothing happens


def test_what_is_not_found_does_not_stay_from_the_last_image() -> None:
    with Counter() as counter:
        assert "bright" in counter.process(np.full_like(NOBODY, 200))
        assert "bright" not in counter.process(NOBODY)


def test_a_failed_graph_says_so_until_it_is_reset() -> None:
    with Counter(limit=1) as counter:
        counter.process(NOBODY)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="more than 1 images"):
                counter.process(NOBODY)
        counter.reset()
        assert counter.process(NOBODY)["count"][0] == 1


def test_the_callers_image_stays_writeable_and_as_it_is() -> None:
    image = np.full_like(NOBODY, 200)
    with Counter() as counter:
        counter.process(image)
        image[:] = 0
        image.flags.writeable = False
        counter.process(image)


@pytest.mark.parametrize(
    "image",
    [
        NOBODY[:, ::-1],
        NOBODY[:, :, ::-1],
        np.asfortranarray(NOBODY),
        NOBODY[::2, ::2],
        NOBODY.astype(np.bool_),
    ],
)
def test_images_that_are_views(image: Any) -> None:
    with Counter() as counter:
        assert counter.process(image)["count"][0] == 1


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((3, 3, 4), np.uint8), ValueError, r"three channels, RGB, .* this one is \[3, 3, 4\]"),
        (np.zeros((3, 3, 1), np.uint8), ValueError, r"\[3, 3, 1\]"),
        (np.zeros((3, 3), np.uint8), ValueError, r"\[3, 3\]"),
        (np.zeros((1, 3, 3, 3), np.uint8), ValueError, r"\[1, 3, 3, 3\]"),
        (np.zeros((0, 3, 3), np.uint8), ValueError, r"\[0, 3, 3\]"),
        (np.zeros((3, 3, 3), np.float32), TypeError, "uint8 in 0..255; this one is float32"),
        (np.zeros((3, 3, 3), np.int8), TypeError, "int8"),
        (None, TypeError, "uint8 array .* not NoneType"),
    ],
)
def test_wrong_images(image: Any, error: type[Exception], message: str) -> None:
    with Counter() as counter:
        with pytest.raises(error, match=message):
            counter.process(image)
        # time has passed all the same, as in MediaPipe
        assert counter.process(NOBODY)["count"] == (1, 2 * FRAME_US)


def test_a_closed_solution() -> None:
    counter = Counter()
    counter.close()
    for call in (counter.close, lambda: counter.process(NOBODY)):
        with pytest.raises(ValueError, match="this Counter is closed: make a new one"):
            call()


def test_threads_end_with_the_solution_closed_or_not() -> None:
    assert not threads()
    with Counter() as counter:
        counter.process(NOBODY)
        assert threads()
    assert not threads()
    dropped = Counter()
    dropped.process(NOBODY)
    assert threads()
    del dropped
    gc.collect()
    assert not threads()


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("solution", SOLUTIONS)
def test_nobody_is_there(solution: Any) -> None:
    arguments = {"enable_segmentation": True} if "Pose" in solution.__name__ or "Holistic" in solution.__name__ else {}
    with solution(**arguments) as found:
        results = found.process(NOBODY)
        names = results._fields
        if solution is not mp.solutions.selfie_segmentation.SelfieSegmentation:
            assert results == (None,) * len(names)
        assert all(hasattr(results, name) for name in names)
        with pytest.raises(ValueError, match="three channels"):
            found.process(np.zeros((3, 3, 4), np.uint8))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: mp.solutions.pose.Pose(model_complexity=3), r"0 \(lite\), 1 \(full\) or 2 \(heavy\), not 3"),
        (lambda: mp.solutions.holistic.Holistic(model_complexity=-1), "not -1"),
        (lambda: mp.solutions.hands.Hands(model_complexity=2), r"0 \(lite\) or 1 \(full\), not 2"),
        (lambda: mp.solutions.selfie_segmentation.SelfieSegmentation(model_selection=2), "not 2"),
    ],
)
def test_models_that_there_are_not(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_else_mediapipe_has() -> None:
    with pytest.raises(AttributeError, match=r"no 'tasks'.*MediaPipe Tasks are still in the mediapipe package"):
        mp.tasks  # noqa: B018
