"""Import of whole models: what is cut, what is refused, and how damage is reported."""

from pathlib import Path

import numpy as np
import pytest

from graphflow.errors import ModelError
from graphflow.inference import ModelStore
from graphflow.inference.tflite import Operator, Tensor, TFLiteModel, import_tflite, read_tflite

F32 = np.dtype(np.float32)


def two_branches(second_kind: str = "RELU") -> TFLiteModel:
    """input -> RELU -> output 0, and input -> `second_kind` -> output 1."""
    tensors = tuple(Tensor(i, f"t{i}", (1, 2, 2, 3), F32) for i in range(3))
    operators = (
        Operator(0, "RELU", (0,), (1,)),
        Operator(1, second_kind, (0,), (2,), is_custom=second_kind.islower()),
    )
    return TFLiteModel("toy", tensors, operators, (0,), (1, 2))


def test_outputs_come_in_the_order_asked_for_and_the_rest_is_cut() -> None:
    graph = import_tflite(two_branches(), (1,))
    graph.prune()
    assert graph.outputs == ["output1"]
    assert [node.op for node in graph.nodes] == ["Transpose", "Relu", "Transpose", "Identity"]
    assert import_tflite(two_branches(), (1, 0)).outputs == ["output1", "output0"]


@pytest.mark.parametrize("outputs", [(), (2,), (-1,), (0, 0)])
def test_outputs_that_do_not_exist_are_refused(outputs: tuple[int, ...]) -> None:
    with pytest.raises(ModelError, match=r"toy: outputs .* it has 2 \(0: \[1, 2, 2, 3\], 1:"):
        import_tflite(two_branches(), outputs)


def test_unknown_operator_is_named_unless_its_branch_is_cut() -> None:
    model = two_branches("warp")
    with pytest.raises(ModelError, match=r"toy: cannot import warp \(first: operator 1 \(custom warp\)\); leave out"):
        import_tflite(model)
    assert import_tflite(model, (0,)).outputs == ["output0"]
    unknown_first = TFLiteModel("toy", model.tensors, model.operators[::-1], model.inputs, model.outputs)
    assert import_tflite(unknown_first, (0,)).outputs == ["output0"]


def test_operator_with_impossible_inputs_is_located() -> None:
    model = two_branches("DEPTH_TO_SPACE")
    with pytest.raises(
        ModelError, match=r"toy: operator 1 \(DEPTH_TO_SPACE\): .* do not fit together \('block_size'\)"
    ):
        import_tflite(model)


def test_value_that_is_two_outputs() -> None:
    model = two_branches()
    twice = TFLiteModel("toy", model.tensors, model.operators, model.inputs, (1, 1))
    assert len(import_tflite(twice).to_model().graph.output) == 2


def test_input_of_another_type_is_refused() -> None:
    model = two_branches()
    tensors = (Tensor(0, "t0", (1, 2, 2, 3), np.dtype(np.float16)), *model.tensors[1:])
    with pytest.raises(ModelError, match="input 0 is float16; supported are float32, int32 and uint8"):
        import_tflite(TFLiteModel("toy", tensors, model.operators, (0,), (1, 2)))


def test_cutting_pose_segmentation_shrinks_the_graph() -> None:
    path = ModelStore().path("pose_landmark_full")
    model = read_tflite(path.read_bytes(), "pose")
    whole, cut = import_tflite(model), import_tflite(model, (0, 1, 3, 4))
    whole.prune()
    cut.prune()
    convolutions = [sum(node.op == "Conv" for node in graph.nodes) for graph in (whole, cut)]
    assert convolutions[0] > convolutions[1] > 0
    assert [cut.shapes[name] for name in cut.outputs] == [(1, 195), (1, 1), (1, 64, 64, 39), (1, 117)]


@pytest.mark.parametrize("keep", [0, 5, 30, 1000, 50_000, 100_000, 123_791])
def test_truncated_file_is_an_error_that_names_it(keep: int) -> None:
    data = ModelStore().path("hand_recrop").read_bytes()
    with pytest.raises(ModelError, match=r"short\.tflite: .*(not a TFLite model|truncated or damaged)"):
        read_tflite(data[:keep], "short.tflite")


def test_overwritten_bytes_give_a_model_or_a_model_error() -> None:
    data = ModelStore().path("hand_recrop").read_bytes()
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(60):
        # The tables lie at both ends of the file, the weights in between.
        damaged = bytearray(data)
        start = int(rng.choice([8, len(data) - 6000])) + int(rng.integers(0, 6000 - 64))
        damaged[start : start + 64] = rng.bytes(64)
        try:
            import_tflite(read_tflite(bytes(damaged), "damaged"))
        except ModelError:
            refused += 1
    assert refused > 0


def test_not_a_model(tmp_path: Path) -> None:
    page = tmp_path / "page.tflite"
    page.write_text("<html>Please sign in</html>")
    with pytest.raises(ModelError, match=r"page\.tflite: not a TFLite model"):
        ModelStore(tmp_path).onnx(page)
