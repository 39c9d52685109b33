"""ImageToTensor and ImageProperties on packets, against what MediaPipe's calculator answered."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from conformance.packets import to_value
from graphflow.calculators.image.image_properties import ImageProperties
from graphflow.calculators.image.image_to_tensor import ImageToTensor
from graphflow.calculators.payloads import NormalizedRect, Rect

from graphflow.testing import run_calculator

IMAGE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
UNIT = {"output_tensor_float_range": {"min": 0, "max": 1}}
SMALL = {"output_tensor_width": 8, "output_tensor_height": 6}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("keep", {**SMALL, "keep_aspect_ratio": True, "output_tensor_float_range": {"min": -1, "max": 1}}),
        (
            "keep_zero",
            {
                **SMALL,
                "keep_aspect_ratio": True,
                "border_mode": "BORDER_ZERO",
                "output_tensor_float_range": {"min": 0, "max": 255},
            },
        ),
        ("replicate", {**SMALL, "keep_aspect_ratio": True, "border_mode": "BORDER_REPLICATE", **UNIT}),
        (
            "full_keep_zero",
            {
                **SMALL,
                "keep_aspect_ratio": True,
                "border_mode": "BORDER_ZERO",
                "output_tensor_float_range": {"min": 0, "max": 255},
            },
        ),
        ("full_replicate", {**SMALL, "keep_aspect_ratio": True, "border_mode": "BORDER_REPLICATE", **UNIT}),
        ("no_size", UNIT),
    ],
)
def test_equals_the_recorded_case_bit_for_bit(shared: Path, name: str, options: dict[str, Any]) -> None:
    case = json.loads((shared / f"conformance/framework/cases/image_to_tensor_{name}.json").read_text())
    fed: dict[str, list[tuple[int, Any]]] = {}
    for step in case["script"]:
        tag = {"img": "IMAGE", "r": "NORM_RECT"}[step["stream"]]
        fed.setdefault(tag, []).append((step["ts"], to_value(step["packet"])))
    found = run_calculator(ImageToTensor, fed, options)
    for stream, tag in (("o", "TENSORS"), ("mat", "MATRIX"), ("pad", "LETTERBOX_PADDING")):
        if stream not in case["expect"]["outputs"]:
            continue
        expected = case["expect"]["outputs"][stream]
        assert [timestamp for timestamp, _ in found[tag]] == [record["ts"] for record in expected]
        for (_, value), record in zip(found[tag], expected, strict=True):
            array = value[0] if tag == "TENSORS" else value
            np.testing.assert_array_equal(array.ravel(), np.array(record["value"], np.float32), tag)


def reference_cases(shared: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared / "data/image_to_tensor/cases.json").read_text())["cases"]
    return found


def test_region_extraction_goldens(shared: Path) -> None:
    """The images of MediaPipe's own test of this calculator, with its tolerance."""
    folder = shared / "data/image_to_tensor"
    compared = 0
    for case in reference_cases(shared):
        channels = cv2.COLOR_BGR2RGBA if case["input_channels"].startswith("RGBA") else cv2.COLOR_BGR2RGB
        image = cv2.cvtColor(cv2.imread(str(folder / case["input"])), channels)
        golden = cv2.cvtColor(cv2.imread(str(folder / case["golden"])), cv2.COLOR_BGR2RGB)
        roi = case["roi"]
        rect = NormalizedRect(roi["x_center"], roi["y_center"], roi["width"], roi["height"], roi["rotation_radians"])
        for low, high in case["output_ranges_tested"]:
            kind = "float" if isinstance(low, float) else "int" if low < 0 else "uint"
            options = {
                "output_tensor_width": case["output_width"],
                "output_tensor_height": case["output_height"],
                "keep_aspect_ratio": case["keep_aspect_ratio"],
                "border_mode": f"BORDER_{case['border'].upper()}",
                f"output_tensor_{kind}_range": {"min": low, "max": high},
            }
            found = run_calculator(ImageToTensor, {"IMAGE": [(0, image)], "NORM_RECT": [(0, rect)]}, options)
            tensor = found["TENSORS"][0][1][0]
            assert tensor.dtype == {"float": np.float32, "int": np.int8, "uint": np.uint8}[kind]
            back = (tensor[0].astype(np.float64) - low) * 255 / (high - low)
            assert np.abs(back - golden).max() <= 5, (case["golden"], low, high)
            compared += 1
    assert compared > 20


@pytest.mark.parametrize(
    ("inputs", "timestamps"),
    [
        ({"IMAGE": [(0, IMAGE)]}, [0]),
        ({"IMAGE": [(0, IMAGE), (1, IMAGE)], "NORM_RECT": [(1, NormalizedRect(0.5, 0.5, 0.5, 0.5))]}, [1]),
        ({"IMAGE": [(0, IMAGE)], "NORM_RECT": [(0, NormalizedRect(0.5, 0.5, 0.0, 0.0))]}, []),
        ({"IMAGE": [], "NORM_RECT": [(0, NormalizedRect(0.5, 0.5, 0.5, 0.5))]}, []),
    ],
    ids=["whole image", "no rectangle, no tensor", "an empty rectangle means none", "no image"],
)
def test_when_something_is_emitted(inputs: dict[str, Any], timestamps: list[int]) -> None:
    found = run_calculator(ImageToTensor, inputs, {**SMALL, **UNIT})
    for tag in ("TENSORS", "MATRIX", "LETTERBOX_PADDING"):
        assert [timestamp for timestamp, _ in found[tag]] == timestamps


def test_pixel_and_normalized_rectangles_agree() -> None:
    by_tag = {"NORM_RECT": NormalizedRect(0.5, 0.25, 0.25, 0.5, 0.5), "RECT": Rect(8, 3, 4, 6, 0.5)}
    found = [
        run_calculator(ImageToTensor, {"IMAGE": [(0, IMAGE)], tag: [(0, rect)]}, {**SMALL, **UNIT})
        for tag, rect in by_tag.items()
    ]
    np.testing.assert_array_equal(found[0]["TENSORS"][0][1][0], found[1]["TENSORS"][0][1][0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "set one of the options output_tensor_float_range"),
        ({"output_tensor_float_range": {"min": 1, "max": 1}}, "min < max"),
        ({"output_tensor_uint_range": {"min": -1, "max": 255}}, "0 <= min"),
        ({"output_tensor_int_range": {"min": -128, "max": 128}}, "<= 127"),
        ({**UNIT, "output_tensor_width": 0}, "must be positive"),
    ],
)
def test_impossible_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(ImageToTensor, {"IMAGE": [(0, IMAGE)]}, options)


def test_nan_in_the_rectangle_is_an_error() -> None:
    rect = NormalizedRect(0.5, float("nan"), 0.5, 0.5)
    with pytest.raises(ValueError, match="NaN"):
        run_calculator(ImageToTensor, {"IMAGE": [(0, IMAGE)], "NORM_RECT": [(0, rect)]}, {**SMALL, **UNIT})


@pytest.mark.parametrize("tag", ["IMAGE", "IMAGE_CPU"])
@pytest.mark.parametrize("image", [IMAGE, IMAGE[:, :, 0]])
def test_size_of_an_image(tag: str, image: npt.NDArray[np.uint8]) -> None:
    assert run_calculator(ImageProperties, {tag: [(7, image)]}) == {"SIZE": [(7, (16, 12))]}


def test_size_needs_one_image() -> None:
    with pytest.raises(ValueError, match="one of IMAGE and IMAGE_CPU"):
        run_calculator(ImageProperties, {"IMAGE": [(0, IMAGE)], "IMAGE_CPU": [(0, IMAGE)]})
