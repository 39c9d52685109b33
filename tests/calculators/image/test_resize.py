"""The scaling kernel against a twin in numpy and against OpenCV."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.resize import resize_mask

Mask = npt.NDArray[np.float32]

SIZES = [((256, 256), (640, 480)), ((144, 256), (37, 91)), ((7, 5), (33, 2)), ((1, 1), (4, 3)), ((3, 4), (1, 1))]


def mask(shape: tuple[int, int]) -> Mask:
    return np.random.default_rng(3).random(shape, np.float32)


def taps(source: int, target: int) -> Mask:
    """[target, source]: how much of each source pixel goes into each target pixel."""
    places = ((np.arange(target) + 0.5) * source / target - 0.5).clip(0, source - 1)
    return np.maximum(0, 1 - abs(places[:, None] - np.arange(source))).astype(np.float32)


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_equals_its_twin_and_opencv(shape: tuple[int, int], size: tuple[int, int]) -> None:
    source = mask(shape)
    resized = resize_mask(source, *size)
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, taps(shape[0], size[1]) @ source @ taps(shape[1], size[0]).T, atol=2e-5)
    np.testing.assert_allclose(resized, cv2.resize(source, size), atol=2e-5)


def test_the_same_size_is_the_mask_itself() -> None:
    source = mask((3, 4))
    assert resize_mask(source, 4, 3) is source


def test_nan_stays_where_it_is() -> None:
    source = np.zeros((4, 4), np.float32)
    source[0, 0] = np.nan
    assert np.isnan(resize_mask(source, 8, 8)).sum() == 9


def test_read_only_and_strided_masks() -> None:
    source = mask((20, 30))
    source.flags.writeable = False
    np.testing.assert_array_equal(resize_mask(source[::2, ::3], 7, 7), resize_mask(source[::2, ::3].copy(), 7, 7))


@pytest.mark.parametrize(
    ("source", "size", "message"),
    [
        (np.zeros((3, 4)), (1, 1), r"float32 \[H, W\], not float64 \[3, 4\]"),
        (np.zeros((3, 4, 1), np.float32), (1, 1), r"not float32 \[3, 4, 1\]"),
        (np.zeros((0, 4), np.float32), (1, 1), "a mask of 4 x 0"),
        (np.zeros((3, 4), np.float32), (0, 1), "one of 0 x 1"),
    ],
)
def test_what_is_no_mask(source: Mask, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resize_mask(source, *size)
