"""Regions of interest against a plain numpy reading of what they mean, and against recorded values."""

import numpy as np
import pytest
from graphflow.calculators.image.region import (
    Region,
    pad_region,
    region_of,
    region_to_image_matrix,
    sampling_matrix,
)
from graphflow.calculators.payloads import NormalizedRect, Rect


def region(*values: float) -> Region:
    return Region(*(np.float32(value) for value in values))


def twin_matrix(r: Region, width: int, height: int) -> np.ndarray:
    """The transform as the product of its steps, in float64."""
    x, y, w, h, angle = (float(value) for value in r)

    def step(*rows: tuple[float, float, float]) -> np.ndarray:
        return np.array(rows)

    cos, sin = np.cos(angle), np.sin(angle)
    product = (
        step((1 / width, 0, 0), (0, 1 / height, 0), (0, 0, 1))
        @ step((1, 0, x), (0, 1, y), (0, 0, 1))
        @ step((cos, -sin, 0), (sin, cos, 0), (0, 0, 1))
        @ step((w, 0, 0), (0, h, 0), (0, 0, 1))
        @ step((1, 0, -0.5), (0, 1, -0.5), (0, 0, 1))
    )
    full = np.zeros((4, 4))
    full[np.ix_([0, 1, 3], [0, 1, 3])] = product
    full[2, 2] = w / width
    return full


@pytest.mark.parametrize(
    ("rect", "expected"),
    [
        (None, (100, 50, 200, 100, 0)),
        (NormalizedRect(0.25, 0.5, 0.5, 1.5, 0.3), (50, 50, 100, 150, 0.3)),
        (Rect(10, 20, 30, 40, -1.0), (10, 20, 30, 40, -1)),
    ],
)
def test_region_in_pixels(rect: NormalizedRect | Rect | None, expected: tuple[float, ...]) -> None:
    assert region_of(200, 100, rect) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rect", "message"),
    [
        (NormalizedRect(float("nan"), 0.5, 0.5, 0.5), "NaN"),
        (NormalizedRect(0.5, 0.5, 0.5, 0.5, float("nan")), "NaN"),
        (NormalizedRect(0.5, 0.5, 0.0, 0.5), "positive width and height"),
        (NormalizedRect(0.5, 0.5, 0.5, -0.1), "positive width and height"),
    ],
)
def test_impossible_region_is_refused(rect: NormalizedRect, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        region_of(200, 100, rect)


@pytest.mark.parametrize(
    ("size", "tensor", "grown", "padding"),
    [
        ((10, 10), (20, 40), (10, 20), (0, 0.25, 0, 0.25)),
        ((30, 10), (8, 8), (30, 30), (0, 1 / 3, 0, 1 / 3)),
        ((10, 30), (8, 8), (30, 30), (1 / 3, 0, 1 / 3, 0)),
        ((16, 12), (8, 6), (16, 12), (0, 0, 0, 0)),
    ],
)
def test_padding_keeps_the_aspect_ratio(
    size: tuple[float, float], tensor: tuple[int, int], grown: tuple[float, float], padding: tuple[float, ...]
) -> None:
    padded, shares = pad_region(region(50, 50, *size, 0.1), *tensor)
    assert padded == pytest.approx((50, 50, *grown, 0.1))
    assert shares == pytest.approx(padding)
    assert shares.dtype == np.float32


def test_matrix_is_the_product_of_its_steps() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        width, height = random.integers(1, 2000, 2)
        r = region(*random.uniform(-500, 2500, 2), *(10.0 ** random.uniform(-1, 4, 2)), random.uniform(-7, 7))
        expected = twin_matrix(r, width, height)
        given = region_to_image_matrix(r, int(width), int(height))
        assert given.dtype == np.float32
        np.testing.assert_allclose(given, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_sampling_matrix_maps_the_tensors_corners_to_the_regions() -> None:
    random = np.random.default_rng(1)
    for _ in range(200):
        r = region(*random.uniform(-500, 2500, 2), *(10.0 ** random.uniform(0, 3, 2)), random.uniform(-7, 7))
        columns, rows = (int(value) for value in random.integers(1, 512, 2))
        matrix = sampling_matrix(r, columns, rows).reshape(3, 3)
        corners = matrix @ np.array([[0, columns, columns, 0], [0, 0, rows, rows], [1, 1, 1, 1]])
        angle = float(r.rotation)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        half = 0.5 * np.array([[-1, 1, 1, -1], [-1, -1, 1, 1]]) * np.array([[r.width], [r.height]])
        expected = turn @ half + np.array([[r.x_center], [r.y_center]])
        np.testing.assert_allclose(corners[:2] / corners[2], expected, atol=0.01)


def test_sampling_matrix_of_a_degenerate_region_is_empty() -> None:
    assert not sampling_matrix(region(5, 5, 1e-30, 1e-30, 0), 8, 8).any()
