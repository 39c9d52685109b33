"""Images handed over plane by plane."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from graphflow.inference import InferenceSession, open_session
from graphflow.inference.onnx_graph import OnnxGraph
from graphflow.inference.rewrite import read_planes


def transposed(second_reader: str = "") -> OnnxGraph:
    """An image [1, 4, 5, 3], transposed to planes and doubled; perhaps read by another node, too."""
    graph = OnnxGraph("planes")
    graph.add_input("input0", (1, 4, 5, 3))
    planes = graph.add("Transpose", ["input0"], (1, 3, 4, 5), "input0_nchw", perm=[0, 3, 1, 2])
    graph.add_output(graph.add("Add", [planes, planes], (1, 3, 4, 5), "double"), (1, 3, 4, 5))
    if second_reader:
        graph.add_output(graph.add(second_reader, ["input0"], (1, 4, 5, 3), "other"), (1, 4, 5, 3))
    return graph


def test_an_image_that_is_only_transposed_is_taken_in_planes(tmp_path: Path) -> None:
    graph = transposed()
    assert read_planes(graph) == 1
    assert [node.op for node in graph.nodes] == ["Add"]
    file = tmp_path / "planes.onnx"
    file.write_bytes(graph.to_model().SerializeToString())
    assert ort.InferenceSession(str(file)).get_inputs()[0].shape == [1, 3, 4, 5]
    session = InferenceSession(file)
    assert session.input_shapes == ((1, 4, 5, 3),)
    image = np.random.default_rng(0).random((1, 4, 5, 3), dtype=np.float32)
    in_planes = np.ascontiguousarray(image.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    for same in (image, in_planes):
        np.testing.assert_array_equal(session.run([same])[0], 2 * image.transpose(0, 3, 1, 2))


def test_an_image_that_is_read_as_it_is_stays_as_it_is() -> None:
    assert read_planes(transposed("Identity")) == 0


def test_models_of_the_store_take_planes() -> None:
    session = open_session("hand_recrop", providers=("CPUExecutionProvider",))
    rng = np.random.default_rng(1)
    image = rng.random((1, 256, 256, 3), dtype=np.float32)
    in_planes = np.ascontiguousarray(image.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    assert session.input_shapes == ((1, 256, 256, 3),)
    np.testing.assert_array_equal(session.run([image])[0], session.run([in_planes])[0])
    names = [value.name for value in ort.InferenceSession(str(session.path)).get_inputs()]
    assert names == ["input0_planes"]
