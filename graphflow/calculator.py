"""The calculator: what an author of a node writes, as a class or as a function."""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from graphflow.context import Binding, Connection, Context
from graphflow.ports import ANY_TAG, REQUIRED, TAG, Input, Option, OptionDeclaration, Output, Port
from graphflow.services import Service

T = TypeVar("T")


class Stop(Exception):  # noqa: N818 - a signal, not an error: MediaPipe's StatusStop
    """Raised from `process`: this node is done, its outputs close, the run goes on without it.

    A source raises it when there is nothing left to emit.
    """


class OptionError(ValueError):
    """One option of a calculator is missing, unknown or of the wrong type.

    `option` names it ("" for several); `path` leads on to the place inside a nested one, such as `ranges.0.begin`.
    """

    def __init__(self, option: str, message: str, path: str = "") -> None:
        self.option = option
        self.path = path or option
        super().__init__(message)


class Calculator:
    """A node's work. Subclass it, declare ports and options as class attributes, and write `process`.

    ```python
    class Scale(Calculator):
        \"\"\"Multiplies numbers.\"\"\"

        value = Input(type=float)
        scaled = Output(type=float)
        factor: float = Option(2.0, "what to multiply by")

        def process(self, context: Context) -> None:
            context[self.scaled] = context[self.value] * self.factor
    ```

    Class attributes say how time passes through the node; where options or side packets decide, an instance sets its
    own `process_timestamp_bounds` in `__init__`, and its own `timestamp_offset` there or in `open`:

    - `timestamp_offset`: outputs follow the inputs at this distance (microseconds; 0 for most), so that an output's
      bound rises with the inputs even when `process` emits nothing. None: outputs promise nothing by themselves.
    - `process_timestamp_bounds`: `process` is also called at timestamps where no packet arrived but time is settled.
    - `input_policy`: the policy that decides when `process` runs, unless the graph names another.
    - `reads_headers`: `open` runs only once the nodes in front have opened, so that `context.header` is there.
    - `services`: the shared objects the node uses, for `context.service`.
    - `fusible`: calls take microseconds, and all that `process` does is to emit at most one packet on each output, at
      the input timestamp (it may close outputs, too); `open` and `close` emit nothing. The plan may then run the node
      in one step with its neighbours, without a queue between them.
    - `waits`: calls may wait long for something outside of the graph; that is not worth a warning.
    - `dropped`: how many packets the calculator left out so far, for `Graph.statistics`; count it on the instance.
    - `aliases`: further names this calculator is found by. As a mapping, a literal one, it binds each name to a payload
      type, as MediaPipe's families have them: ports of the type `list[Item]`, with a `TypeVar` Item, become
      `list[float]` for the alias `"SplitFloatVector": float`.

    The runtime makes a new instance for each run and calls `open` once, `process` for every set of inputs, `close` at
    the end. An instance is never entered by two threads at once unless the graph allows `max_in_flight` over 1.
    """

    timestamp_offset: int | None = 0
    process_timestamp_bounds: bool = False
    input_policy: ClassVar[str] = "default"
    reads_headers: ClassVar[bool] = False
    services: ClassVar[tuple[Service, ...]] = ()
    fusible: bool = False
    waits: ClassVar[bool] = False
    dropped: int = 0
    aliases: ClassVar[tuple[str, ...] | Mapping[str, Any]] = ()

    def __init_subclass__(cls, **extra: Any) -> None:
        super().__init_subclass__(**extra)
        _check_declarations(cls)

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        """Takes the options of one node, checked and converted to their declared types.

        Raises:
            OptionError: an option is missing, unknown, or of the wrong type.
        """
        given = dict(options or {})
        for name, declaration in self.options().items():
            if name in given:
                value = _convert(type(self), name, given.pop(name))
            elif declaration.default is REQUIRED:
                raise OptionError(name, f"option '{name}' must be set: {declaration.doc}")
            else:
                value = declaration.default
            setattr(self, name, value)
        if given:
            name = next(iter(given))
            raise OptionError(name, f"{type(self).__name__} has no option '{name}'")

    @classmethod
    def ports(cls) -> tuple[Port, ...]:
        """The declared ports, in the order of declaration."""
        return tuple(_declared(cls, Port).values())

    @classmethod
    def options(cls) -> Mapping[str, OptionDeclaration]:
        """The declared options by name."""
        return _declared(cls, OptionDeclaration)

    @classmethod
    def option_type(cls, name: str) -> Any:
        """The annotated type of an option."""
        owner: type = cls
        return _option_types(owner)[name]

    @classmethod
    def convert_option(cls, name: str, value: Any) -> Any:
        """The value of one declared option as its annotated type.

        Raises:
            OptionError: the value is not of that type.
        """
        return _convert(cls, name, value)

    def output_types(self, binding: Binding) -> Mapping[Connection, Any]:
        """The types of those outputs and side outputs whose type the options or the connections decide.

        A tuple of input connections stands for the type that they carry, which must be one and the same. Called when
        the graph is validated, with the options set; the other outputs carry what their port declares.
        """
        return {}

    def check(self, binding: Binding) -> Iterable[str | OptionError]:
        """Says what is wrong with how the node is connected, beyond what the declarations can say; one line each.

        What is wrong with one option is shown at its place in the graph's file where it is said as an `OptionError`.
        Called when the graph is validated, with the options set.
        """
        return ()

    def open(self, context: Context) -> None:
        """Loads what the node needs. Side inputs are there; outputs may be emitted, at PRESTREAM for instance."""

    def process(self, context: Context) -> None:
        """Does the work of one timestamp."""
        raise NotImplementedError(f"{type(self).__name__} has no process method")

    def close(self, context: Context) -> None:
        """Flushes at the end of the run; the context's timestamp is DONE."""

    def reset(self, context: Context) -> None:
        """Returns to the state after `open`, for a new stream of packets; override it where `open` is slow."""
        self.open(context)


def _check_declarations(cls: type[Calculator]) -> None:
    """Refuses a class whose ports or options cannot work.

    Raises:
        TypeError: a tag is none, two ports of a kind share one, an option has no type or hides a method.
    """
    seen: dict[tuple[type, str], str] = {}
    for name, port in _declared(cls, Port).items():
        place = f"{cls.__name__}.{name}"
        if port.tag not in ("", ANY_TAG) and not TAG.match(port.tag):
            raise TypeError(f"{place}: '{port.tag}' is no tag; tags look like '{port.tag.upper()}'")
        other = seen.setdefault((type(port), port.tag), name)
        if other != name:
            kind, tag = type(port).__name__, f"tag '{port.tag}'" if port.tag else "no tag"
            raise TypeError(f"{place}: {kind} with {tag} is there already, as '{other}'; give each a tag of its own")
    annotated = inspect.get_annotations(cls)
    for name, value in vars(cls).items():
        if not isinstance(value, OptionDeclaration):
            continue
        if callable(getattr(Calculator, name, None)):
            raise TypeError(f"{cls.__name__}.{name}: '{name}' is a method; call the option something else")
        if name not in annotated:
            raise TypeError(f"{cls.__name__}.{name}: an option says its type: {name}: float = Option(…)")


def _declared(cls: type, kind: type[T]) -> dict[str, T]:
    """Class attributes of one kind by name, inherited ones first."""
    found: dict[str, T] = {}
    for base in reversed(cls.__mro__):
        found.update({name: value for name, value in vars(base).items() if isinstance(value, kind)})
    return found


_OPTION_TYPES: dict[type, dict[str, Any]] = {}


def _option_types(cls: type) -> dict[str, Any]:
    if cls not in _OPTION_TYPES:
        declared = _declared(cls, OptionDeclaration)
        hints = typing.get_type_hints(cls, include_extras=True)
        _OPTION_TYPES[cls] = {name: hint for name, hint in hints.items() if name in declared}
    return _OPTION_TYPES[cls]


@functools.cache
def _adapter(cls: type, name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_option_types(cls)[name])


def _convert(cls: type, name: str, value: Any) -> Any:
    annotation = _option_types(cls)[name]
    if typing.get_origin(annotation) in (list, tuple) and not isinstance(value, list | tuple):
        value = [value]  # a repeated field that MediaPipe's text format gives once
    try:
        return _adapter(cls, name).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([name, *(str(part) for part in first["loc"])])
        fields = _fields_beside(annotation, first["loc"]) if first["type"] == "extra_forbidden" else []
        if fields:
            raise OptionError(name, f"option '{where}' does not exist; there are: {', '.join(fields)}", where) from None
        reason = first["msg"][:1].lower() + first["msg"][1:]
        raise OptionError(name, f"option '{where}': {reason}, not {first['input']!r}", where) from None


def _fields_beside(annotation: Any, path: Iterable[str | int]) -> list[str]:
    """The fields of the option group in which the last part of a path is no field."""
    *above, _ = path
    for part in (*above, None):
        while not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            inner = [entry for entry in typing.get_args(annotation) if entry not in (type(None), str, int)]
            if not inner:
                return []
            annotation = inner[0]
        fields = _fields_of(annotation)
        if isinstance(part, str) and part in fields:
            annotation = fields[part].annotation
    return list(_fields_of(annotation))


def _fields_of(group: Any) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = group.model_fields
    return fields


def _without_none(annotation: Any) -> Any:
    """`X` for `X | None`, anything else as it is."""
    members = typing.get_args(annotation)
    if type(None) not in members or typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation
    rest = tuple(member for member in members if member is not type(None))
    return rest[0] if len(rest) == 1 else typing.Union[rest]  # noqa: UP007 - the members are not known statically


def _documented(annotation: Any) -> tuple[Any, str]:
    """The type and the text of `Annotated[X, "text"]`; the type keeps what else is said of it."""
    if typing.get_origin(annotation) is not typing.Annotated:
        return annotation, ""
    inner, *extras = typing.get_args(annotation)
    text = next((extra for extra in extras if isinstance(extra, str)), "")
    kept = tuple(extra for extra in extras if not isinstance(extra, str))
    return typing.Annotated[(inner, *kept)] if kept else inner, text


class FunctionCalculator(Calculator):
    """A calculator without state made from a function by `@calculator`."""

    function: ClassVar[Callable[..., Any]]
    parameters: ClassVar[Mapping[str, Port]]
    optional_parameters: ClassVar[frozenset[str]]
    results: ClassVar[tuple[Port, ...]]

    def process(self, context: Context) -> None:
        arguments = {name: context[port] for name, port in self.parameters.items()}
        if any(value is None and name not in self.optional_parameters for name, value in arguments.items()):
            return
        options = {name: getattr(self, name) for name in self.options()}
        result = type(self).function(**arguments, **options)
        if not self.results[0].tag:
            context[self.results[0]] = result
        elif result is not None:
            for port, value in zip(self.results, result, strict=True):
                context[port] = value


def calculator(function: Callable[..., Any]) -> type[FunctionCalculator]:
    """Makes a calculator of a function: its signature is the contract.

    Positional parameters are input streams, tagged with the parameter's name in upper case; keyword-only parameters
    are options; what the function returns goes out on the untagged output, or, where it returns a `NamedTuple`, on one
    output for each field, tagged with the field's name in upper case. The function runs when all its inputs have a
    packet; a parameter annotated `X | None` may be absent. Returning None emits nothing. `Annotated[X, "…"]` says what
    a parameter, a field or the result is for.

    >>> @calculator
    ... def wrist_height(landmarks: list, *, side: str = "left") -> float:
    ...     return landmarks[0 if side == "left" else 1]
    >>> wrist_height.__name__, [port.tag for port in wrist_height.ports()], list(wrist_height.options())
    ('WristHeight', ['LANDMARKS', ''], ['side'])
    """
    hints = typing.get_type_hints(function, include_extras=True)
    attributes: dict[str, Any] = {}
    annotations: dict[str, Any] = {}
    parameters: dict[str, Port] = {}
    optional: set[str] = set()
    for name, parameter in inspect.signature(function).parameters.items():
        annotation, doc = _documented(hints.get(name, Any))
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            default = REQUIRED if parameter.default is inspect.Parameter.empty else parameter.default
            attributes[name] = Option(default, doc)
            annotations[name] = annotation
            continue
        value_type = _without_none(annotation)
        if value_type is not annotation:
            optional.add(name)
        parameters[name] = attributes[f"input_{name}"] = Input(name.upper(), value_type, doc)
    returned_type, returned_doc = _documented(hints.get("return", Any))
    returned = _without_none(returned_type)
    fields: tuple[str, ...] = getattr(returned, "_fields", ())
    if fields:
        field_types = typing.get_type_hints(returned, include_extras=True)
        results = tuple(Output(field.upper(), *_documented(field_types.get(field, Any))) for field in fields)
    else:
        results = (Output("", returned, returned_doc),)
    for position, port in enumerate(results):
        attributes[f"output_{position}"] = port
    name = "".join(word.capitalize() for word in function.__name__.split("_"))
    attributes |= {
        "__doc__": function.__doc__,
        "__module__": function.__module__,
        "__annotations__": annotations,
        "function": staticmethod(function),
        "parameters": parameters,
        "optional_parameters": frozenset(optional),
        "results": results,
    }
    return type(name, (FunctionCalculator,), attributes)
