"""Models prepared for a machine: the faster variant is kept, under a key of processor and ONNX Runtime."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import onnxruntime
import pytest

from graphflow.inference import InferenceSession, ModelStore, PreparedModels, prepared
from graphflow.inference.compiler import compilation
from graphflow.inference.compiler.lowering import UnsupportedNetworkError


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    """A store of its own with one model in it."""
    source = ModelStore().path("hand_recrop")
    target = tmp_path / "models" / source.name
    target.parent.mkdir()
    target.write_bytes(source.read_bytes())
    return ModelStore(tmp_path, offline=True)


def open_model(path: Path, keep_optimized: Path | None) -> InferenceSession:
    return InferenceSession(path, keep_optimized=keep_optimized)


@pytest.mark.parametrize(
    ("milliseconds", "variant"),
    [
        ({"compiled": 1.0, "rewritten": 3.0, "plain": 3.0}, "compiled"),
        ({"compiled": 1.0, "rewritten": 0.7, "plain": 0.7}, "compiled"),
        ({"compiled": 1.0, "rewritten": 0.6, "plain": 1.0}, "rewritten"),
        ({"rewritten": 1.0, "plain": 3.0}, "rewritten"),
        ({"rewritten": 1.0, "plain": 0.95}, "rewritten"),
        ({"rewritten": 1.0, "plain": 0.5}, "plain"),
    ],
)
def test_faster_variant_is_kept(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, milliseconds: Mapping[str, float], variant: str
) -> None:
    monkeypatch.setattr(prepared, "_measured", lambda sessions: milliseconds)
    compiled = "compiled" in milliseconds
    models = PreparedModels(store)
    assert models.preparations("hand_recrop") == ()
    assert models.find("hand_recrop", None, compiled) is None
    path = models.prepare("hand_recrop", None, open_model, compiled)
    assert path is not None
    assert models.find("hand_recrop", None, compiled) == path
    assert models.find("hand_recrop", None, not compiled) is None
    assert models.find("hand_recrop", (0,), compiled) is None
    (preparation,) = models.preparations("hand_recrop")
    assert (preparation.outputs, preparation.variant, preparation.milliseconds) == ("all", variant, milliseconds)
    assert path.suffix == (".compiled" if variant == "compiled" else ".onnx")
    if path.suffix == ".onnx":
        # only the plain graph takes its image as TFLite lays it out
        names = [value.name for value in onnxruntime.InferenceSession(path).get_inputs()]
        assert names == (["input0"] if variant == "plain" else ["input0_planes"])


def test_model_without_kernels_is_left_to_onnx_runtime(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise UnsupportedNetworkError("no kernel for Softmax")

    monkeypatch.setattr(compilation, "compile_graph", refuse)
    with caplog.at_level(logging.DEBUG, "graphflow.inference"):
        path = PreparedModels(store).prepare("hand_recrop", None, open_model)
    assert path is not None
    assert path.suffix == ".onnx"
    assert "hand_recrop is left to ONNX Runtime: no kernel for Softmax" in caplog.text


def test_variants_are_measured_in_turn(store: ModelStore, tmp_path: Path) -> None:
    sessions = {
        name: InferenceSession(store.onnx("hand_recrop", for_cpu=for_cpu))
        for name, for_cpu in (("rewritten", True), ("plain", False))
    }
    found = prepared._measured(sessions)
    assert set(found) == set(sessions)
    assert all(0 < value < 1000 for value in found.values())


def test_another_machine_prepares_for_itself(store: ModelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    models = PreparedModels(store)
    models.prepare("hand_recrop", None, open_model)
    monkeypatch.setattr(prepared, "processor", lambda: "another")
    assert models.find("hand_recrop", None) is None
    assert models.preparations("hand_recrop") == ()


def test_damaged_file_is_prepared_again(store: ModelStore, caplog: pytest.LogCaptureFixture) -> None:
    models = PreparedModels(store)
    path = models.prepare("hand_recrop", None, open_model)
    assert path is not None
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert models.find("hand_recrop", None) is None
    assert "is damaged; preparing the model again" in caplog.text


def test_foreign_descriptions_are_passed_over(store: ModelStore) -> None:
    models = PreparedModels(store)
    models.prepare("hand_recrop", None, open_model)
    folder = store.cache_dir / "prepared"
    (folder / "hand_recrop-x.json").write_text("{")
    (folder / "hand_recrop-y.json").write_text(json.dumps({"other": 1}))
    assert len(models.preparations("hand_recrop")) == 1


def test_nothing_is_left_behind(store: ModelStore) -> None:
    PreparedModels(store).prepare("hand_recrop", None, open_model)
    assert sorted(path.suffix for path in (store.cache_dir / "prepared").iterdir()) == [".compiled", ".json"]


def test_cache_that_takes_no_files(store: ModelStore, caplog: pytest.LogCaptureFixture) -> None:
    for for_cpu in (True, False):
        store.onnx("hand_recrop", for_cpu=for_cpu)
    (store.cache_dir / "prepared").write_text("in the way")
    assert PreparedModels(store).prepare("hand_recrop", None, open_model) is None
    assert "cannot be prepared" in caplog.text
