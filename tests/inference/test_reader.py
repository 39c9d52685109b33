"""The reader on files written with the schema's own builders."""

from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import pytest
import tflite

from graphflow.errors import ModelError
from graphflow.inference.tflite import import_tflite, read_tflite

FLOAT32, FLOAT16, STRING = tflite.TensorType.FLOAT32, tflite.TensorType.FLOAT16, tflite.TensorType.STRING
ADD, RELU = tflite.BuiltinOperator.ADD, tflite.BuiltinOperator.RELU


class Writer:
    """Writes a TFLite file: tensors (shape, type, constant) and operators (code, inputs, outputs)."""

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder(0)

    def write(
        self,
        tensors: list[tuple[tuple[int, ...], int, npt.NDArray[Any] | None]],
        operators: list[tuple[int, list[int], list[int]]],
        inputs: list[int],
        outputs: list[int],
        *,
        both_codes: bool = True,
        subgraphs: int = 1,
    ) -> bytes:
        build = self._builder
        buffers = [self._buffer(data) for _, _, data in tensors]
        codes = [self._code(code, both_codes) for code, _, _ in operators]
        tables = [self._tensor(shape, kind, i) for i, (shape, kind, _) in enumerate(tensors)]
        steps = [self._operator(i, reads, writes) for i, (_, reads, writes) in enumerate(operators)]
        parts = [self._vector(tables), self._ints(inputs), self._ints(outputs), self._vector(steps)]
        tflite.SubGraphStart(build)
        tflite.SubGraphAddTensors(build, parts[0])
        tflite.SubGraphAddInputs(build, parts[1])
        tflite.SubGraphAddOutputs(build, parts[2])
        tflite.SubGraphAddOperators(build, parts[3])
        graph = tflite.SubGraphEnd(build)
        lists = [self._vector(codes), self._vector([graph] * subgraphs), self._vector(buffers)]
        tflite.ModelStart(build)
        tflite.ModelAddVersion(build, 3)
        tflite.ModelAddOperatorCodes(build, lists[0])
        tflite.ModelAddSubgraphs(build, lists[1])
        tflite.ModelAddBuffers(build, lists[2])
        build.Finish(tflite.ModelEnd(build), b"TFL3")
        return bytes(build.Output())

    def _buffer(self, data: npt.NDArray[Any] | None) -> int:
        vector = None if data is None else self._builder.CreateByteVector(data.tobytes())
        tflite.BufferStart(self._builder)
        if vector is not None:
            tflite.BufferAddData(self._builder, vector)
        return int(tflite.BufferEnd(self._builder))

    def _code(self, code: int, both: bool) -> int:
        tflite.OperatorCodeStart(self._builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(self._builder, min(code, 127))
        if both:
            tflite.OperatorCodeAddBuiltinCode(self._builder, code)
        return int(tflite.OperatorCodeEnd(self._builder))

    def _tensor(self, shape: tuple[int, ...], kind: int, buffer: int) -> int:
        dimensions = self._ints(list(shape))
        tflite.TensorStart(self._builder)
        tflite.TensorAddShape(self._builder, dimensions)
        tflite.TensorAddType(self._builder, kind)
        tflite.TensorAddBuffer(self._builder, buffer)
        return int(tflite.TensorEnd(self._builder))

    def _operator(self, code: int, reads: list[int], writes: list[int]) -> int:
        inputs, outputs = self._ints(reads), self._ints(writes)
        tflite.OperatorStart(self._builder)
        tflite.OperatorAddOpcodeIndex(self._builder, code)
        tflite.OperatorAddInputs(self._builder, inputs)
        tflite.OperatorAddOutputs(self._builder, outputs)
        return int(tflite.OperatorEnd(self._builder))

    def _ints(self, values: list[int]) -> int:
        return int(self._builder.CreateNumpyVector(np.array(values, dtype=np.int32)))

    def _vector(self, offsets: list[int]) -> int:
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())


ONE_RELU = ([((1, 4), FLOAT32, None), ((1, 4), FLOAT32, None)], [(RELU, [0], [1])], [0], [1])


@pytest.mark.parametrize("both_codes", [True, False])
def test_operator_codes_of_old_and_new_writers(both_codes: bool) -> None:
    model = read_tflite(Writer().write(*ONE_RELU, both_codes=both_codes), "toy")
    assert [operator.kind for operator in model.operators] == ["RELU"]
    assert (model.input_shapes, model.output_shapes) == (((1, 4),), ((1, 4),))


def test_code_beyond_the_old_field() -> None:
    tensors, _, inputs, outputs = ONE_RELU
    model = read_tflite(Writer().write(tensors, [(tflite.BuiltinOperator.GELU, [0], [1])], inputs, outputs), "toy")
    assert [operator.kind for operator in model.operators] == ["GELU"]
    with pytest.raises(ModelError, match=r"toy: cannot import GELU \(first: operator 0 \(GELU\)\)"):
        import_tflite(model)


def test_constants_keep_type_and_shape() -> None:
    weights = np.arange(6, dtype=np.float16).reshape(2, 3)
    tensors = [((1, 4), FLOAT32, None), ((1, 4), FLOAT32, None), ((2, 3), FLOAT16, weights)]
    model = read_tflite(Writer().write(tensors, [(RELU, [0], [1])], [0], [1]), "toy")
    data = model.tensors[2].data
    assert data is not None
    assert data.dtype == np.float16
    np.testing.assert_array_equal(data, weights)
    assert model.tensors[0].data is None


REFUSED = [
    pytest.param({"subgraphs": 2}, {}, "2 subgraphs", id="two subgraphs"),
    pytest.param({}, {0: ((1, 4), STRING, None)}, "tensor 0 .* element type 5", id="strings"),
    pytest.param(
        {}, {0: ((1, 4), FLOAT32, np.zeros(3, np.float32))}, r"tensor 0 .* shape \[1, 4\]", id="short constant"
    ),
]


@pytest.mark.parametrize(("options", "tensors", "message"), REFUSED)
def test_what_cannot_be_read_is_named(options: dict[str, int], tensors: dict[int, Any], message: str) -> None:
    changed = [tensors.get(i, tensor) for i, tensor in enumerate(ONE_RELU[0])]
    with pytest.raises(ModelError, match=f"^toy: .*{message}"):
        read_tflite(Writer().write(changed, *ONE_RELU[1:], **options), "toy")


@pytest.mark.parametrize(("inputs", "outputs"), [([0], [7]), ([9], [1]), ([0], [])])
def test_tensors_that_do_not_exist(inputs: list[int], outputs: list[int]) -> None:
    with pytest.raises(ModelError, match="toy: truncated or damaged"):
        read_tflite(Writer().write(ONE_RELU[0], ONE_RELU[1], inputs, outputs), "toy")
