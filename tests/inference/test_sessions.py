"""Shared sessions: one for each key, created in parallel, safe to run from many threads."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphflow.errors import ModelError
from graphflow.inference import InferenceSession, ModelStore, close_sessions, open_session, sessions


@pytest.fixture(autouse=True)
def fresh_sessions() -> Iterator[None]:
    close_sessions()
    yield
    close_sessions()


def test_one_session_for_each_model_outputs_and_threads() -> None:
    first = open_session("hand_recrop")
    assert open_session("hand_recrop") is first
    assert open_session("hand_recrop", (0,)) is not first
    assert open_session("hand_recrop", threads=2) is not first


def test_shapes_and_outputs_are_in_the_order_of_the_model() -> None:
    session = open_session("hand_landmark_full", (3, 0, 1))
    assert session.input_shapes == ((1, 224, 224, 3),)
    assert session.output_shapes == ((1, 63), (1, 63), (1, 1))
    assert session.output_indices == (3, 0, 1)
    image = np.random.default_rng(0).random((1, 224, 224, 3), dtype=np.float32)
    whole = open_session("hand_landmark_full")
    assert whole.output_indices == (0, 1, 2, 3)
    everything = whole.run([image])
    for output, index in zip(session.run([image]), session.output_indices, strict=True):
        np.testing.assert_allclose(output, everything[index], rtol=1e-5, atol=1e-6)


def test_many_threads_asking_at_once_share_one_creation(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[Path] = []
    open_session("hand_recrop")  # prepared before, so that one creation makes one session
    close_sessions()

    class Counted(InferenceSession):
        def __init__(self, path: Path, *arguments: Any, **options: Any) -> None:
            created.append(path)
            super().__init__(path, *arguments, **options)

    monkeypatch.setattr(sessions, "InferenceSession", Counted)
    start = threading.Barrier(8)

    def ask() -> InferenceSession:
        start.wait(timeout=30)
        return open_session("hand_recrop")

    with ThreadPoolExecutor(8) as pool:
        results = [future.result() for future in [pool.submit(ask) for _ in range(8)]]
    assert len({id(session) for session in results}) == 1
    assert len(created) == 1


def test_different_sessions_are_created_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    both_inside = threading.Barrier(2)
    names = ("hand_recrop", "face_detection_short_range")
    for name in names:
        open_session(name)
    close_sessions()

    class Meeting(InferenceSession):
        def __init__(self, path: Path, *arguments: Any, **options: Any) -> None:
            # Only passes when the other creation is under way too.
            both_inside.wait(timeout=30)
            super().__init__(path, *arguments, **options)

    monkeypatch.setattr(sessions, "InferenceSession", Meeting)
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(open_session, name) for name in names]
        assert len({future.result(timeout=60) for future in futures}) == 2


def test_concurrent_runs_give_what_runs_alone_give() -> None:
    session = open_session("hand_recrop")
    rng = np.random.default_rng(1)
    images = [rng.random((1, 256, 256, 3), dtype=np.float32) for _ in range(12)]
    alone = [session.run([image])[0] for image in images]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda image: session.run([image])[0], images))
    for first, second in zip(alone, together, strict=True):
        np.testing.assert_array_equal(first, second)


def test_file_that_is_no_model(tmp_path: Path) -> None:
    path = tmp_path / "own.onnx"
    path.write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"own\.onnx: ONNX Runtime cannot load it"):
        open_session(path)


def test_failed_creation_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(sessions, "_created", lambda *_: (_ for _ in ()).throw(ModelError("not today")))
        with pytest.raises(ModelError, match="not today"):
            open_session("hand_recrop")
    assert open_session("hand_recrop").output_shapes == ((1, 1, 1, 4),)


def test_changed_file_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "own.tflite"
    store = ModelStore(tmp_path / "cache", offline=True)
    path.write_bytes(ModelStore().path("hand_recrop").read_bytes())
    assert open_session(path, store=store).input_shapes == ((1, 256, 256, 3),)
    path.write_bytes(ModelStore().path("face_detection_short_range").read_bytes())
    assert open_session(path, store=store).input_shapes == ((1, 128, 128, 3),)


def test_provider_that_is_not_there() -> None:
    with pytest.raises(ModelError, match=r"has no NoExecutionProvider here; it has .*CPUExecutionProvider"):
        open_session("hand_recrop", providers=("NoExecutionProvider",))
    with pytest.raises(ModelError, match="no provider is called 'gpu'; there are: cpu, cuda"):
        open_session("hand_recrop", providers=("gpu",))


def test_providers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_PROVIDERS", "NoExecutionProvider, cpu")
    with pytest.raises(ModelError, match="has no NoExecutionProvider here"):
        open_session("hand_recrop")
    assert open_session("hand_recrop", providers=("cpu",)).input_shapes == ((1, 256, 256, 3),)


def test_prepared_model_answers_bit_for_bit_as_the_imported_one() -> None:
    store = ModelStore()
    image = np.random.default_rng(3).random((1, 256, 256, 3), dtype=np.float32)
    prepared = open_session("hand_recrop", providers=("CPUExecutionProvider",))
    assert prepared.path.parent.name == "prepared"
    assert prepared.path.suffix == ".onnx"
    imported = InferenceSession(store.onnx("hand_recrop"))
    np.testing.assert_array_equal(prepared.run([image])[0], imported.run([image])[0])


def test_prepared_file_that_cannot_be_loaded_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    class Picky(InferenceSession):
        def __init__(self, path: Path, *arguments: Any, prepared: bool = False, **options: Any) -> None:
            if prepared or path.suffix == ".compiled":
                raise ModelError("made by another version")
            super().__init__(path, *arguments, **options)

    monkeypatch.setattr(sessions, "InferenceSession", Picky)
    assert open_session("hand_recrop").path.parent.name == "onnx"


def test_one_thread_on_the_processor_is_compiled_and_nothing_else() -> None:
    def suffix(**options: Any) -> str:
        return open_session("hand_recrop", **options).path.suffix

    assert suffix() == suffix(providers=("cpu",)) == ".compiled"
    assert suffix(threads=2) == suffix(providers=("CPUExecutionProvider",)) == ".onnx"


def test_damaged_program(tmp_path: Path) -> None:
    path = tmp_path / "own.compiled"
    path.write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"own\.compiled: cannot be loaded .*; is the file whole"):
        InferenceSession(path)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "takes 1 inputs, got 0"),
        ([np.zeros((1, 256, 256, 3))], "got float64"),
        ([np.zeros((1, 3, 256, 256), np.float32)], r"got float32 \[1, 3, 256, 256\]"),
    ],
)
def test_wrong_inputs_are_refused(inputs: list[np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_session("hand_recrop").run(inputs)
