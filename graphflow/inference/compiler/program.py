"""A compiled network: machine code of one processor, the parameters in its order, and where results lie."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from .network import Array

ENTRY: Final = "graphflow_run"
"""The function in the code: takes memory, parameters, then the inputs."""


@dataclass(frozen=True, slots=True)
class Finish:
    """A step after the network on NCHW arrays named by `inputs`; `detail` is its shape, permutation or axis."""

    op: str
    inputs: tuple[str, ...]
    output: str
    detail: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """Where a result is: its first value in memory, and its size."""

    name: str
    start: int
    height: int
    width: int
    channels: int
    row: int
    pixel: int


@dataclass(frozen=True, slots=True)
class Program:
    """What a run takes: machine code, parameters, the number of values of memory, and what to do with the results.

    `inputs` are the shapes [channels, height, width] of images in planes; `outputs` are names with `output_shapes` of
    what is at `output_indices` in the model.
    """

    code: bytes
    parameters: Array
    memory: int
    inputs: tuple[tuple[int, ...], ...]
    results: tuple[Result, ...]
    finishes: tuple[Finish, ...]
    outputs: tuple[str, ...]
    output_shapes: tuple[tuple[int, ...], ...]
    output_indices: tuple[int, ...]

    def write(self, file: IO[bytes]) -> None:
        """Write the program to an open file, in NumPy's format of several arrays."""
        fields = {name: value for name, value in asdict(self).items() if name not in ("code", "parameters")}
        np.savez(
            file,
            code=np.frombuffer(self.code, np.uint8),
            parameters=self.parameters,
            description=np.frombuffer(json.dumps(fields).encode(), np.uint8),
        )

    @classmethod
    def read(cls, path: Path) -> Program:
        """Return the program in a file; raises OSError or ValueError where there is none."""
        try:
            with np.load(path, allow_pickle=False) as parts:
                code, parameters = parts["code"].tobytes(), parts["parameters"]
                fields: dict[str, Any] = json.loads(parts["description"].tobytes())
            return cls(
                code,
                parameters,
                fields["memory"],
                _tuples(fields["inputs"]),
                tuple(Result(**each) for each in fields["results"]),
                tuple(
                    Finish(each["op"], tuple(each["inputs"]), each["output"], tuple(each["detail"]))
                    for each in fields["finishes"]
                ),
                tuple(fields["outputs"]),
                _tuples(fields["output_shapes"]),
                tuple(fields["output_indices"]),
            )
        except (KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"no compiled network ({error})") from error


def _tuples(lists: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(each) for each in lists)
