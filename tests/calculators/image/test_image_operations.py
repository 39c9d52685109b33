"""ToImage, FlatColorImage, SetAlpha, SegmentationSmoothing, ImageTransformation, WarpAffine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.image.segmentation_smoothing import smooth_mask

import graphflow
from graphflow import GraphConfigError, registry
from graphflow.testing import run_calculator

IMAGE = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
SIDE = "side_outputs: {IMAGE: out}"
SQUARE = np.arange(9, dtype=np.uint8).reshape(3, 3)


def one(calculator: str, inputs: dict[str, Any], options: Any = None, side: Any = None, outputs: Any = None) -> Any:
    """What a calculator makes of one packet at each input, by output; None stands for no packet."""
    fed = {name: [] if value is None else [(5, value)] for name, value in inputs.items()}
    seen = run_calculator(registry.find(calculator), fed, options, side, outputs)
    return {name: packets[0][1] if packets else None for name, packets in seen.items()}


@pytest.mark.parametrize("tag", ["IMAGE", "IMAGE_CPU", "IMAGE_GPU"])
def test_to_image(tag: str) -> None:
    assert one("ToImageCalculator", {tag: IMAGE})["IMAGE"] is IMAGE


def test_to_image_takes_one() -> None:
    with pytest.raises(ValueError, match="not 2 of them"):
        one("ToImage", {"IMAGE": IMAGE, "IMAGE_CPU": IMAGE})


def test_from_image() -> None:
    seen = one("FromImageCalculator", {"IMAGE": IMAGE})
    assert seen["IMAGE_CPU"] is IMAGE
    assert seen["IMAGE_GPU"] is IMAGE
    assert seen["SOURCE_ON_GPU"] is False


def painted(inputs: str, options: str, outputs: str, packets: dict[str, Any]) -> Any:
    """The image a graph with one FlatColorImage makes, as a stream or a side packet."""
    names = f"inputs: [{', '.join(packets)}]\noutputs: [{'' if 'side' in outputs else 'out'}]\n"
    node = f"  flat: {{calculator: FlatColorImage, inputs: {inputs}, {outputs}, options: {options}}}\n"
    graph = graphflow.load(f"graph: Flat\n{names}nodes:\n{node}")
    seen = []
    if "side" not in outputs:
        graph.observe("out", lambda packet: seen.append(packet.value))
    graph.start()
    for name, value in packets.items():
        graph.add_packet(name, value, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return seen[0] if seen else graph.side_packet("out")


@pytest.mark.parametrize(
    ("inputs", "options", "outputs", "expected"),
    [
        ("{IMAGE: a}", "{color: {r: 1, g: 2, b: 3}}", "outputs: {IMAGE: out}", (2, 4, (1, 2, 3))),
        ("{IMAGE: a, COLOR: b}", "{}", "outputs: {IMAGE: out}", (2, 4, (4, 5, 6))),
        ("{COLOR: b}", "{output_width: 3, output_height: 1}", "outputs: {IMAGE: out}", (1, 3, (4, 5, 6))),
        (
            "{}",
            "{output_width: 3, output_height: 1, color: {r: 300}}",
            SIDE,
            (1, 3, (255, 0, 0)),
        ),
    ],
)
def test_flat_color_image(inputs: str, options: str, outputs: str, expected: Any) -> None:
    packets = {name: value for name, value in {"a": IMAGE, "b": (4, 5, 6)}.items() if f": {name}" in inputs}
    height, width, color = expected
    np.testing.assert_array_equal(painted(inputs, options, outputs, packets), np.full((height, width, 3), color))


@pytest.mark.parametrize(
    ("inputs", "options", "outputs", "message"),
    [
        ("{IMAGE: a}", "{}", "outputs: {IMAGE: out}", "the colour comes from"),
        ("{IMAGE: a}", "{color: {}, output_width: 3}", "outputs: {IMAGE: out}", "the size comes from"),
        ("{}", "{color: {}, output_width: 3}", SIDE, "needs both"),
    ],
)
def test_flat_color_image_that_says_too_little(inputs: str, options: str, outputs: str, message: str) -> None:
    with pytest.raises(GraphConfigError, match=message):
        painted(inputs, options, outputs, {"a": IMAGE} if "a" in inputs else {})


@pytest.mark.parametrize(
    ("mask", "options", "expected"),
    [
        (None, {"alpha_value": 300}, 255),
        (np.full((2, 4), 7, np.uint8), {}, 7),
        (np.full((2, 4, 3), (9, 1, 1), np.uint8), {}, 9),
        (np.full((2, 4), 0.5, np.float32), {}, 128),
        (np.full((2, 4), 2.0, np.float32), {}, 255),
    ],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_set_alpha(mask: Any, options: Any, expected: int, channels: int) -> None:
    image = np.full((2, 4, channels), 3, np.uint8)
    seen = one("SetAlphaCalculator", {"IMAGE": image, **({} if mask is None else {"ALPHA": mask})}, options)["IMAGE"]
    np.testing.assert_array_equal(seen, np.broadcast_to([3, 3, 3, expected], (2, 4, 4)))


@pytest.mark.parametrize(
    ("inputs", "options", "message"),
    [
        ({"IMAGE": IMAGE}, {}, "one of them"),
        ({"IMAGE": IMAGE, "ALPHA": IMAGE}, {"alpha_value": 0}, "one of them"),
        ({"IMAGE": SQUARE}, {"alpha_value": 0}, r"not uint8 \[3, 3\]"),
        ({"IMAGE": IMAGE, "ALPHA": SQUARE}, {}, "the mask has"),
        ({"IMAGE": IMAGE, "ALPHA": np.zeros((2, 4))}, {}, "uint8 or float32"),
    ],
)
def test_set_alpha_refuses(inputs: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        one("SetAlpha", inputs, options)


def twin(mask: Any, previous: Any, ratio: float) -> Any:
    distance = (mask.astype(np.float64) - 0.5) ** 2
    certainty = np.zeros_like(distance)
    for coefficient in (-624.717, 291.309, -57.8051, -0.748699, 5.68842):
        certainty = distance * (coefficient + certainty)
    return mask + (previous - mask) * (1 - np.minimum(1, certainty)) * ratio


@pytest.mark.parametrize("ratio", [0.0, 0.7, 1.0])
def test_smooth_mask(ratio: float) -> None:
    rng = np.random.default_rng(3)
    mask, previous = rng.random((2, 30, 41), np.float32)
    mask[0, :4] = [0, 0.5, 1, 0.999]
    np.testing.assert_allclose(smooth_mask(mask, previous, ratio), twin(mask, previous, ratio), atol=2e-6)
    np.testing.assert_array_equal(smooth_mask(mask[:0], previous[:0], ratio).shape, (0, 41))
    if ratio == 1.0:
        assert smooth_mask(mask, previous, ratio)[0, 1] == previous[0, 1]
    assert np.isnan(smooth_mask(np.full((1, 1), np.nan, np.float32), previous[:1, :1], ratio)).all()


def test_segmentation_smoothing_without_a_mask_before() -> None:
    mask = np.full((2, 3), 0.5, np.float32)
    assert one("SegmentationSmoothing", {"MASK": mask, "MASK_PREVIOUS": None})["MASK_SMOOTHED"] is mask
    with pytest.raises(ValueError, match="differ in size"):
        one("SegmentationSmoothing", {"MASK": mask, "MASK_PREVIOUS": mask[:1]})
    with pytest.raises(ValueError, match="must be float32"):
        one("SegmentationSmoothing", {"MASK": mask, "MASK_PREVIOUS": SQUARE})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, IMAGE),
        ({"rotation_mode": "ROTATION_90"}, np.rot90(IMAGE)),
        ({"rotation_mode": "ROTATION_270"}, np.rot90(IMAGE, 3)),
        ({"flip_horizontally": True}, IMAGE[:, ::-1]),
        ({"flip_vertically": True, "flip_horizontally": True}, IMAGE[::-1, ::-1]),
        ({"rotation_mode": "ROTATION_90", "flip_vertically": True}, np.rot90(IMAGE)[::-1]),
        ({"output_width": 2, "output_height": 1}, IMAGE.reshape(1, 2, 2, 2, 3).mean(axis=(1, 3)).round()),
        ({"output_width": 8, "output_height": 4, "interpolation_mode": "NEAREST"}, IMAGE.repeat(2, 0).repeat(2, 1)),
    ],
)
def test_image_transformation(options: Any, expected: Any) -> None:
    seen = one("ImageTransformationCalculator", {"IMAGE": IMAGE}, options, outputs=["IMAGE", "LETTERBOX_PADDING"])
    np.testing.assert_allclose(seen["IMAGE"], expected, atol=1)
    np.testing.assert_array_equal(seen["LETTERBOX_PADDING"], np.zeros(4))


def test_a_rotation_that_keeps_the_size_is_a_warp() -> None:
    seen = one("ImageTransformation", {"IMAGE": SQUARE}, {"rotation_mode": "ROTATION_180"}, outputs=["IMAGE"])["IMAGE"]
    np.testing.assert_array_equal(seen[1:, 1:], SQUARE[1:, 1:][::-1, ::-1])
    np.testing.assert_array_equal(seen[0], 0)
    np.testing.assert_array_equal(seen[:, 0], 0)


def test_fit_pads() -> None:
    options = {"output_width": 4, "output_height": 4, "scale_mode": "FIT", "padding_color": {"red": 9}}
    seen = one("ImageTransformation", {"IMAGE": IMAGE}, options, outputs=["IMAGE", "LETTERBOX_PADDING"])
    np.testing.assert_array_equal(seen["IMAGE"][1:3], IMAGE)
    np.testing.assert_array_equal(seen["IMAGE"][[0, 3]], np.broadcast_to([9, 0, 0], (2, 4, 3)))
    np.testing.assert_array_equal(seen["LETTERBOX_PADDING"], np.float32([0, 0.25, 0, 0.25]))
    replicated = one("ImageTransformation", {"IMAGE": IMAGE}, options | {"constant_padding": False}, outputs=["IMAGE"])
    np.testing.assert_array_equal(replicated["IMAGE"][0], IMAGE[0])


def test_what_streams_and_side_packets_say() -> None:
    inputs = {"IMAGE": IMAGE, "ROTATION_DEGREES": 90, "FLIP_VERTICALLY": False}
    side = {"FLIP_VERTICALLY": True, "FLIP_HORIZONTALLY": True, "ROTATION_DEGREES": 180}
    seen = one("ImageTransformation", inputs, {}, side, outputs=["IMAGE"])["IMAGE"]
    np.testing.assert_array_equal(seen, np.rot90(IMAGE)[:, ::-1])
    unsized = one("ImageTransformation", {"IMAGE": IMAGE, "OUTPUT_DIMENSIONS": None}, outputs=["IMAGE"])
    assert unsized == {"IMAGE": None}


@pytest.mark.parametrize("name", ["WarpAffineCalculatorCpu", "WarpAffineCalculator"])
def test_warp_affine(name: str) -> None:
    matrix = np.eye(4, dtype=np.float32)
    matrix[0, 3] = 0.25  # a quarter of the width to the left
    inputs = {"IMAGE": IMAGE, "MATRIX": matrix, "OUTPUT_SIZE": (4, 2)}
    seen = one(name, inputs, {"border_mode": "BORDER_ZERO"})["IMAGE"]
    np.testing.assert_array_equal(seen[:, :3], IMAGE[:, 1:])
    np.testing.assert_array_equal(seen[:, 3], 0)
    np.testing.assert_array_equal(one(name, inputs)["IMAGE"][:, 3], IMAGE[:, 3])
    assert one(name, {**inputs, "OUTPUT_SIZE": None}) == {"IMAGE": None}
