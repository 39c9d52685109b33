"""Recolor: the blend against a twin in numpy, and which mask counts."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.recolor import Recolor, recolor
from graphflow.calculators.image.resize import resize_mask

from graphflow.testing import run_calculator

RANDOM = np.random.default_rng(8)
IMAGE: npt.NDArray[np.uint8] = RANDOM.integers(0, 256, (20, 30, 3), np.uint8)
MASK: npt.NDArray[np.float32] = RANDOM.random((20, 30), np.float32)
MASK[:3], MASK[3:6] = 0, 1
COLOR = {"r": 10, "g": 200, "b": 90}
RGB = np.array([10, 200, 90], np.uint8)


def twin(image: Any, weight: Any, color: Any, invert: bool, by_luminance: bool) -> Any:
    mix = np.float32(1) - weight if invert else weight
    if by_luminance:
        brightness = image[..., 0] * 0.299 + image[..., 1] * 0.587 + image[..., 2] * 0.114
        mix = mix * (brightness / 255).astype(np.float32)
    kept = np.rint(image * (1.0 - mix[..., None].astype(np.float64)))
    added = np.rint(color.astype(np.float32) * mix[..., None])
    return np.clip(np.clip(kept, 0, 255) + np.clip(added, 0, 255), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("by_luminance", [False, True])
@pytest.mark.parametrize("scale", [1.0, 3.0, -2.0])
def test_equals_its_twin(invert: bool, by_luminance: bool, scale: float) -> None:
    weight = MASK * np.float32(scale)
    expected = twin(IMAGE, weight, RGB, invert, by_luminance)
    np.testing.assert_array_equal(recolor(IMAGE, weight, RGB, invert, by_luminance), expected)


def run(mask: Any, **options: Any) -> Any:
    fed = {"IMAGE": [(0, IMAGE)], "MASK": [] if mask is None else [(0, mask)]}
    ((_, image),) = run_calculator(Recolor, fed, {"color": COLOR, **options})["IMAGE"]
    return image


def test_the_ends_of_the_mask() -> None:
    seen = run(MASK, adjust_with_luminance=False)
    np.testing.assert_array_equal(seen[:3], IMAGE[:3])
    assert (seen[3:6] == RGB).all()


def test_nothing_to_show_without_a_mask() -> None:
    assert run(None) is IMAGE


LEVELS: npt.NDArray[np.uint8] = RANDOM.integers(0, 256, (20, 30, 4), np.uint8)


@pytest.mark.parametrize(
    ("mask", "options", "weight"),
    [
        (LEVELS[..., 0], {}, LEVELS[..., 0] / 255),
        (LEVELS, {}, LEVELS[..., 0] / 255),
        (LEVELS, {"mask_channel": "ALPHA"}, LEVELS[..., 3] / 255),
        (MASK[:10, :15], {}, resize_mask(MASK[:10, :15], 30, 20)),
        (MASK, {"invert_mask": True}, 1 - MASK),
    ],
)
def test_which_mask_counts(mask: Any, options: Any, weight: Any) -> None:
    expected = twin(IMAGE, weight.astype(np.float32), RGB, False, True)
    np.testing.assert_array_equal(run(mask, **options), expected)


def test_a_small_mask_of_bytes_is_scaled() -> None:
    small = np.array([[0, 255]], np.uint8)
    seen = run(small, adjust_with_luminance=False)
    np.testing.assert_array_equal(seen[:, 0], IMAGE[:, 0])
    assert (seen[:, -1] == RGB).all()
    assert not (seen[:, 15] == IMAGE[:, 15]).all()


def test_what_is_no_number_leaves_nothing() -> None:
    mask = np.full((20, 30), np.nan, np.float32)
    assert (recolor(IMAGE, mask, RGB) == 0).all()


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (IMAGE, {}, "color"),
        (IMAGE[..., 0], {"color": COLOR}, r"not uint8 \[20, 30\]"),
        (IMAGE.astype(np.float32), {"color": COLOR}, "not float32"),
    ],
)
def test_what_it_refuses(image: Any, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(Recolor, {"IMAGE": [(0, image)], "MASK": [(0, MASK)]}, options)
