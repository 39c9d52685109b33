"""Models as side packets: resources, what is in files, and the models made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from graphflow import RESOURCES, Calculator, Context, ModelError, Option, Resources, SideInput, SideOutput
from graphflow.context import Binding
from graphflow.inference import ModelStore
from graphflow.inference.cache_files import written_aside


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that a graph names; `path` is where it is, None for a model that the model store has."""

    name: str
    path: Path | None

    def contents(self) -> bytes:
        """What is in it; a model of the store is fetched if need be.

        Raises:
            OSError: the file cannot be read.
            ModelError: the model cannot be fetched.
        """
        return (self.path or ModelStore().path(Path(self.name).stem)).read_bytes()


@dataclass(frozen=True, slots=True)
class Model:
    """A model to run: its name in the model store, or the path of its file."""

    source: str


@dataclass(frozen=True, slots=True)
class OpResolver:
    """Stands for MediaPipe's list of operators; here every session knows all operators there are."""


class ResourceProvider(Calculator):
    """Provides files by the paths that options or side packets name; they are read when they are used.

    A path is looked for in the working directory, the folders of `--graph-path` and those around the graph's file;
    `…/NAME.tflite` that is in none of them is NAME of the model store. Source: MediaPipe ResourceProviderCalculator.
    """

    services = (RESOURCES,)

    ids = SideInput("RESOURCE_ID", str, "paths; these or the option", optional=True, repeated=True)
    resources = SideOutput("RESOURCE", Resource, "one for each path", repeated=True)

    resource_id: list[str] = Option([], "paths; these or the side packets")
    read_mode: Literal["READ_MODE_UNDEFINED", "READ_MODE_BINARY", "READ_MODE_TEXT"] = Option(
        "READ_MODE_UNDEFINED", "accepted for MediaPipe's graphs; whoever reads a file knows what is in it"
    )

    def check(self, binding: Binding) -> Iterable[str]:
        connected, listed = len(binding.slots.get(self.ids, ())), len(self.resource_id)
        if bool(connected) == bool(listed):
            yield "name the files by the side inputs RESOURCE_ID or by the option 'resource_id', not by both"
        elif connected + listed != len(binding.side_outputs):
            yield f"{connected + listed} files need as many outputs RESOURCE, not {len(binding.side_outputs)}"

    def open(self, context: Context) -> None:
        names = context[self.ids] if context.is_connected(self.ids) else self.resource_id
        for index, name in enumerate(names):
            context.emit(self.resources, find_resource(name, context.service(RESOURCES)), index=index)

    def process(self, context: Context) -> None:
        """Nothing: all is done when the graph starts."""


class LocalFileContents(Calculator):
    """Provides what is in files, found as `ResourceProvider` finds them.

    Source: MediaPipe LocalFileContentsCalculator.
    """

    services = (RESOURCES,)

    paths = SideInput("FILE_PATH", str, "paths", repeated=True)
    contents = SideOutput("CONTENTS", bytes | str, "bytes, or text in text mode; one for each path", repeated=True)

    text_mode: bool = Option(False, "read text in UTF-8")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.side_inputs) != len(binding.side_outputs):
            yield f"{len(binding.side_inputs)} paths need as many outputs, not {len(binding.side_outputs)}"

    def open(self, context: Context) -> None:
        for index, name in enumerate(context[self.paths]):
            found = find_resource(name, context.service(RESOURCES)).contents()
            context.emit(self.contents, found.decode("utf-8") if self.text_mode else found, index=index)

    def process(self, context: Context) -> None:
        """Nothing: all is done when the graph starts."""


class TfLiteModel(Calculator):
    """Provides a model for `Inference`, from a resource or from the bytes of a TFLite file.

    Source: MediaPipe TfLiteModelCalculator.
    """

    resource = SideInput("MODEL_RESOURCE", Resource, "the file; this or one of the others", optional=True)
    blob = SideInput("MODEL_BLOB", bytes, "its contents", optional=True)
    span = SideInput("MODEL_SPAN", bytes, "its contents under MediaPipe's other name", optional=True)
    model = SideOutput("MODEL", Model, "the model", optional=True)
    shared_model = SideOutput("SHARED_MODEL", Model, "the same", optional=True)

    def check(self, binding: Binding) -> Iterable[str]:
        if len(binding.side_inputs) != 1:
            yield f"connect one of MODEL_RESOURCE, MODEL_BLOB and MODEL_SPAN, not {len(binding.side_inputs)} of them"
        if len(binding.side_outputs) != 1:
            yield "connect one of MODEL and SHARED_MODEL"

    def open(self, context: Context) -> None:
        resource = context[self.resource]
        if resource is not None:
            source = Path(resource.name).stem if resource.path is None else str(resource.path)
        else:
            source = _kept(context[self.blob] if context.is_connected(self.blob) else context[self.span])
        for port in (self.model, self.shared_model):
            context[port] = Model(source)

    def process(self, context: Context) -> None:
        """Nothing: all is done when the graph starts."""


class TfLiteCustomOpResolver(Calculator):
    """Provides what MediaPipe's inference nodes ask for to know more operators than TFLite's own; these here know all.

    Source: MediaPipe TfLiteCustomOpResolverCalculator.
    """

    resolver = SideOutput("OP_RESOLVER", OpResolver, "for `Inference`", optional=True)
    untagged = SideOutput("", OpResolver, "for `TfLiteInference`", optional=True)

    use_gpu: bool = Option(False, "accepted for MediaPipe's graphs; does nothing")

    def open(self, context: Context) -> None:
        context[self.resolver] = OpResolver()
        context[self.untagged] = OpResolver()

    def process(self, context: Context) -> None:
        """Nothing: all is done when the graph starts."""


def find_resource(name: str, resources: Resources) -> Resource:
    """The file or model that a path means.

    Raises:
        FileNotFoundError: there is no such file.
        ModelError: it names a model that neither is a file nor in the store.
    """
    path = resources.find_if_any(name)
    if path is not None:
        return Resource(name, path)
    if Path(name).suffix != ".tflite":
        return Resource(name, resources.find(name))
    store = ModelStore()
    if Path(name).stem not in store.names():
        raise ModelError(
            f"the model {name} is neither a file nor in the model store; put the file at that path below the working "
            f"directory or a folder of --graph-path. The store has: {', '.join(store.names())}"
        )
    return Resource(name, None)


def _kept(contents: bytes) -> str:
    """Where a model that came as bytes can be loaded from: the store's name for it, or a file in the store's cache."""
    digest = hashlib.sha256(contents).hexdigest()
    store = ModelStore()
    for name in store.names():
        if store.info(name).sha256 == digest:
            return name
    path = store.cache_dir / "blobs" / f"{digest[:16]}.tflite"
    if not path.is_file():
        with written_aside(path) as file:
            file.write(contents)
    return str(path)
