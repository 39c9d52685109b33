"""Tensors to landmarks, numbers and classes, landmarks to tensors, and refinement by heatmaps."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import LandmarkList, NormalizedLandmarkList
from graphflow.calculators.tensor.landmarks_to_tensor import LandmarksToTensor
from graphflow.calculators.tensor.refine_landmarks_from_heatmap import RefineLandmarksFromHeatmap, refine_landmarks
from graphflow.calculators.tensor.tensor_converter import TensorConverter
from graphflow.calculators.tensor.tensors_to_classification import TensorsToClassification
from graphflow.calculators.tensor.tensors_to_floats import TensorsToFloats
from graphflow.calculators.tensor.tensors_to_landmarks import TensorsToLandmarks

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]


def converted(case: Any, tag: str, stream: str) -> list[tuple[int, Any]]:
    packets = list(case.packets(stream).items())
    return run_calculator(TensorConverter, {tag: packets}, case.options("TensorConverter"))["TENSORS"]


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("both", {"LANDMARKS": "o", "NORM_LANDMARKS": "p"}),
        ("flip_side", {"NORM_LANDMARKS": "p"}),
        ("flip_v", {"LANDMARKS": "o"}),
        ("norm", {"NORM_LANDMARKS": "o"}),
        ("norm_z", {"NORM_LANDMARKS": "o"}),
        ("raw", {"LANDMARKS": "o"}),
    ],
)
def test_recorded_landmarks(recorded: Any, name: str, outputs: dict[str, str]) -> None:
    case = recorded(f"tensors_to_landmarks_{name}")
    sides = {"FLIP_HORIZONTALLY": True} if name == "flip_side" else {}
    fed = {"TENSORS": converted(case, "MATRIX", "m")}
    found = run_calculator(TensorsToLandmarks, fed, case.options("TensorsToLandmarks"), sides, list(outputs))
    for tag, stream in outputs.items():
        case.check(stream, found[tag])


@pytest.mark.parametrize("name", ["binary", "min_score"])
def test_recorded_classification(recorded: Any, name: str) -> None:
    case = recorded(f"tensors_to_classification_{name}")
    fed = {"TENSORS": converted(case, "MATRIX", "m")}
    found = run_calculator(TensorsToClassification, fed, case.options("TensorsToClassification"))
    case.check("o", found["CLASSIFICATIONS"])


def test_recorded_number(recorded: Any) -> None:
    case = recorded("tensors_to_float_single")
    fed = {"TENSORS": converted(case, "MATRIX", "m")}
    case.check("o", run_calculator(TensorsToFloats, fed, outputs=["FLOAT"])["FLOAT"])


def test_recorded_image_conversion(recorded: Any) -> None:
    case = recorded("tensor_image_unit")
    fed = {"TENSORS": converted(case, "IMAGE", case.streams()[0])}
    case.check("o", run_calculator(TensorsToFloats, fed, outputs=["FLOATS"])["FLOATS"])


def test_recorded_heatmap_without_confidence(recorded: Any) -> None:
    case = recorded("heatmap_refine_never")
    fed = {"TENSORS": converted(case, "IMAGE", "img"), "NORM_LANDMARKS": list(case.packets("l").items())}
    found = run_calculator(RefineLandmarksFromHeatmap, fed, case.options("RefineLandmarksFromHeatmap"))
    case.check("o", found["NORM_LANDMARKS"])


def landmarks_of(tensor: Floats, **options: Any) -> NormalizedLandmarkList:
    sized = {"input_image_width": 10, "input_image_height": 20, **options}
    fed = {"TENSORS": [(0, tensor)]}
    ((_, found),) = run_calculator(TensorsToLandmarks, fed, sized, outputs=["NORM_LANDMARKS"])["NORM_LANDMARKS"]
    assert isinstance(found, NormalizedLandmarkList)
    return found


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7])
def test_landmarks_of_every_size(size: int) -> None:
    tensor = np.random.default_rng(size).normal(0, 5, (1, 3 * size)).astype(np.float32)
    found = landmarks_of(tensor, num_landmarks=3, normalize_z=0.5, presence_activation="SIGMOID")
    points = np.zeros((3, 7), np.float32)
    points[:, :size] = tensor.reshape(3, size)
    expected = points[:, :3] / np.array([10, 20, 10], np.float32) / np.array([1, 1, 0.5], np.float32)
    np.testing.assert_array_equal(found.xyz, expected)
    assert (found.visibility is None) == (size < 4)
    assert (found.presence is None) == (size < 5)
    if found.visibility is not None:
        np.testing.assert_array_equal(found.visibility, points[:, 3])
    if found.presence is not None:
        np.testing.assert_allclose(found.presence, 1 / (1 + np.exp(-points[:, 4])), rtol=1e-6)


def test_flips_by_stream_side_packet_and_option() -> None:
    tensor = np.array([[1, 2, 3]], np.float32)
    options = {"num_landmarks": 1, "input_image_width": 10, "input_image_height": 20}

    def place(inputs: dict[str, bool], sides: dict[str, bool], **more: bool) -> list[float]:
        fed = {"TENSORS": [(0, tensor)], **{tag: [(0, value)] for tag, value in inputs.items()}}
        found = run_calculator(TensorsToLandmarks, fed, {**options, **more}, sides, ["LANDMARKS"])
        values: list[float] = found["LANDMARKS"][0][1].xyz[0].tolist()
        return values

    assert place({}, {}) == [1, 2, 3]
    assert place({}, {}, flip_horizontally=True) == [9, 2, 3]
    assert place({}, {"FLIP_VERTICALLY": True}) == [1, 18, 3]
    assert place({}, {"FLIP_VERTICALLY": False}, flip_vertically=True) == [1, 2, 3]
    assert place({"FLIP_HORIZONTALLY": True}, {"FLIP_HORIZONTALLY": False}) == [9, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_landmarks": 0, "input_image_width": 1, "input_image_height": 1}, "must be positive"),
        ({"num_landmarks": 1}, "NORM_LANDMARKS needs the options"),
        ({"num_landmarks": 5, "input_image_width": 1, "input_image_height": 1}, "4 numbers cannot hold 5 landmarks"),
    ],
)
def test_impossible_landmarks_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(TensorsToLandmarks, {"TENSORS": [(0, np.ones((1, 4), np.float32))]}, options)


def twin_refine(xyz: Floats, heatmap: Floats, kernel: int, minimum: float) -> tuple[Floats, Floats]:
    """The centre of mass of each heatmap's cells near its point, and the best of those cells."""
    height, width, count = heatmap.shape
    confidence = 1 / (1 + np.exp(-heatmap.astype(np.float64)))
    moved, best = xyz.astype(np.float64), np.full(count, np.inf)
    reach = (kernel - 1) // 2
    for i in range(count):
        x, y = np.trunc(xyz[i, 0] * np.float32(width)), np.trunc(xyz[i, 1] * np.float32(height))
        if not (0 <= x < width and 0 <= y < height):
            continue
        columns = np.arange(max(0, int(x) - reach), min(width, int(x) + reach + 1))
        rows = np.arange(max(0, int(y) - reach), min(height, int(y) + reach + 1))
        square = confidence[np.ix_(rows, columns, [i])][..., 0]
        best[i] = square.max()
        if best[i] >= minimum:
            moved[i, 0] = (square.sum(0) @ columns) / width / square.sum()
            moved[i, 1] = (square.sum(1) @ rows) / height / square.sum()
    return moved.astype(np.float32), best.astype(np.float32)


@pytest.mark.parametrize("kernel", [1, 3, 7, 9, 40])
@pytest.mark.parametrize("minimum", [0.0, 0.5, 0.97, 1.0])
def test_refinement_equals_its_twin(kernel: int, minimum: float) -> None:
    random = np.random.default_rng(kernel)
    count = 60
    heatmap = random.normal(-1, 2, (16, 24, count)).astype(np.float32)
    xyz = random.uniform(-0.2, 1.2, (count, 3)).astype(np.float32)
    xyz[:4, 0] = [np.nan, -0.001, 1e30, -np.inf]
    xyz[4] = [0.999999, 0.0, 5.0]
    scores = random.uniform(0, 1, (2, count)).astype(np.float32)
    given = NormalizedLandmarkList(xyz, *scores)
    refined = refine_landmarks(given, heatmap, kernel, minimum, refine_presence=True, refine_visibility=True)
    with np.errstate(invalid="ignore"):
        moved, best = twin_refine(xyz, heatmap, kernel, minimum)
    np.testing.assert_allclose(refined.xyz, moved, rtol=2e-6)
    assert refined.visibility is not None
    assert refined.presence is not None
    np.testing.assert_allclose(refined.visibility, np.minimum(scores[0], best), rtol=1e-6)
    np.testing.assert_allclose(refined.presence, np.minimum(scores[1], best), rtol=1e-6)
    untouched = refine_landmarks(given, heatmap, kernel, minimum)
    assert untouched.presence is given.presence
    assert untouched.visibility is given.visibility


def test_refinement_without_heatmap_or_landmarks() -> None:
    landmarks = NormalizedLandmarkList(np.full((2, 3), 0.5, np.float32))
    heatmap = np.zeros((1, 4, 4, 2), np.float32)
    fed = {"NORM_LANDMARKS": [(0, landmarks), (2, landmarks)], "TENSORS": [(1, [heatmap]), (2, [heatmap])]}
    found = run_calculator(RefineLandmarksFromHeatmap, fed)["NORM_LANDMARKS"]
    assert [timestamp for timestamp, _ in found] == [0, 2]
    assert found[0][1] is landmarks
    assert found[1][1].xyz[0].tolist() == [1.5 / 4, 1.5 / 4, 0.5]
    with pytest.raises(ValueError, match=r"heatmap of 2 landmarks is \[H, W, 2\]"):
        run_calculator(RefineLandmarksFromHeatmap, {**fed, "TENSORS": [(0, [heatmap[..., :1]])]})


def test_numbers_of_a_tensor() -> None:
    fed = {"TENSORS": [(0, [np.array([[0.0, 2.0]], np.float32)])]}
    assert run_calculator(TensorsToFloats, fed, outputs=["FLOATS"]) == {"FLOATS": [(0, [0.0, 2.0])]}
    squashed = run_calculator(TensorsToFloats, fed, {"activation": "SIGMOID"}, outputs=["FLOATS"])["FLOATS"][0][1]
    assert squashed == pytest.approx([0.5, 1 / (1 + np.exp(-2))])
    with pytest.raises(ValueError, match="a tensor of one number, not of 2"):
        run_calculator(TensorsToFloats, fed, outputs=["FLOAT"])
    with pytest.raises(ValueError, match="one of FLOAT and FLOATS"):
        run_calculator(TensorsToFloats, fed)
    with pytest.raises(ValueError, match="empty list"):
        run_calculator(TensorsToFloats, {"TENSORS": [(0, [])]}, outputs=["FLOAT"])
    with pytest.raises(ValueError, match="must be float32, not float64"):
        run_calculator(TensorsToFloats, {"TENSORS": [(0, np.zeros(1))]}, outputs=["FLOAT"])


def classes(scores: list[float], **options: Any) -> list[tuple[int, float, str]]:
    fed = {"TENSORS": [(0, np.array([scores], np.float32))]}
    ((_, found),) = run_calculator(TensorsToClassification, fed, options)["CLASSIFICATIONS"]
    return [(one.index, round(one.score, 3), one.label) for one in found]


@pytest.mark.parametrize(
    ("scores", "options", "expected"),
    [
        ([0.1, 0.7, 0.4], {}, [(0, 0.1, ""), (1, 0.7, ""), (2, 0.4, "")]),
        ([0.1, 0.7, 0.4], {"sort_by_descending_score": True}, [(1, 0.7, ""), (2, 0.4, ""), (0, 0.1, "")]),
        ([0.1, 0.7, 0.4], {"top_k": 1}, [(1, 0.7, "")]),
        ([0.1, 0.7, 0.4], {"ignore_classes": 1}, [(0, 0.1, ""), (2, 0.4, "")]),
        ([0.1, 0.7, 0.4], {"allow_classes": [1]}, [(1, 0.7, "")]),
        (
            [0.2],
            {"binary_classification": True, "top_k": 1, "label_items": {0: {"name": "Left"}, 1: {"name": "Right"}}},
            [(1, 0.8, "Right")],
        ),
        (
            [0.2, 0.3],
            {"label_items": [{"key": 0, "value": {"name": "a"}}, {"key": 1, "value": {"name": "b"}}]},
            [(0, 0.2, "a"), (1, 0.3, "b")],
        ),
        (
            [0.2, 0.3],
            {"label_map": {"entries": [{"id": 1, "label": "b"}, {"id": 0, "label": "a"}]}},
            [(0, 0.2, "a"), (1, 0.3, "b")],
        ),
    ],
)
def test_classes(scores: list[float], options: dict[str, Any], expected: list[tuple[int, float, str]]) -> None:
    assert classes(scores, **options) == expected


def test_labels_from_a_file(tmp_path: Any) -> None:
    file = tmp_path / "labels.txt"
    file.write_text("Left\nRight\n")
    assert classes([0.9], binary_classification=True, label_map_path=str(file)) == [(0, 0.9, "Left"), (1, 0.1, "Right")]
    with pytest.raises(ValueError, match="3 classes need as many labels, not 2"):
        classes([1, 2, 3], label_map_path=str(file))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"allow_classes": [0], "ignore_classes": [1]}, "set one of"),
        ({"binary_classification": True, "allow_classes": [0]}, "nothing to allow"),
        ({"binary_classification": True}, "has one number, not 2"),
        ({"label_map": {"entries": [{"id": 1}, {"id": 1}]}}, "names a class twice"),
    ],
)
def test_impossible_classification_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classes([0.1, 0.2], **options)


def test_landmarks_to_tensor() -> None:
    landmarks = LandmarkList(np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7, 8], np.float32))
    attributes = {"attributes": ["Z", "VISIBILITY", "PRESENCE", "Y"]}
    fed = {"LANDMARKS": [(0, landmarks)]}
    ((_, (tensor,)),) = run_calculator(LandmarksToTensor, fed, attributes)["TENSORS"]
    np.testing.assert_array_equal(tensor, [[[2, 7, 0, 1], [5, 8, 0, 4]]])
    normalized = {"NORM_LANDMARKS": [(0, NormalizedLandmarkList(landmarks.xyz))], "IMAGE_SIZE": [(0, (10, 100))]}
    options = {"attributes": ["X", "Y", "Z"], "flatten": True}
    ((_, (tensor,)),) = run_calculator(LandmarksToTensor, normalized, options)["TENSORS"]
    np.testing.assert_array_equal(tensor, [[0, 100, 20, 30, 400, 50]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {0: -1, 255: 1}),
        ({"zero_center": False}, {0: 0, 255: 1}),
        ({"output_tensor_float_range": {"min": 2, "max": 4}}, {0: 2, 255: 4}),
        ({"use_custom_normalization": True, "custom_div": 51, "custom_sub": 2}, {0: -2, 255: 3}),
    ],
)
def test_image_as_a_tensor(options: dict[str, Any], expected: dict[int, float]) -> None:
    image = np.array(list(expected), np.uint8).reshape(2, 1, 1).repeat(4, axis=2)
    for flip in (False, True):
        fed = {"IMAGE": [(0, image)]}
        ((_, (tensor,)),) = run_calculator(TensorConverter, fed, {**options, "flip_vertically": flip})["TENSORS"]
        assert tensor.shape == (1, 2, 1, 3)
        values = list(expected.values())
        assert tensor[0, :, 0, 1].tolist() == pytest.approx(values[::-1] if flip else values)


def test_matrix_as_a_tensor() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    for row_major, expected in ((True, [0, 1, 2, 3, 4, 5]), (False, [0, 3, 1, 4, 2, 5])):
        options = {"row_major_matrix": row_major}
        ((_, (tensor,)),) = run_calculator(TensorConverter, {"MATRIX": [(0, matrix)]}, options)["TENSORS"]
        assert tensor.shape == (1, 2, 3, 1)
        assert tensor.ravel().tolist() == expected
