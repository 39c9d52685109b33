"""The sampling kernel against a twin in numpy and against recorded results of OpenCV 4.11."""

import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.region import Region, sampling_matrix
from graphflow.calculators.image.warp import Border, ValueRange, sample_region

BYTES = ValueRange(0, 255, np.uint8)


def region(*values: float) -> Region:
    return Region(*(np.float32(value) for value in values))


def twin(image: npt.NDArray[np.uint8], r: Region, columns: int, rows: int, border: Border) -> npt.NDArray[np.uint8]:
    """The same arithmetic on whole arrays: positions in float64, steps of 1/32 pixel, exact weights."""
    pixels = np.atleast_3d(image)[:, :, :3].astype(np.int64)
    height, width = pixels.shape[:2]
    block = min(1024 // min(16, rows), columns)
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    start = x // block * block
    m = sampling_matrix(r, columns, rows)
    w = m[6] * start + m[7] * y + m[8] + m[6] * (x - start)
    w = np.divide(32, w, out=np.zeros_like(w), where=w != 0)
    at_x, at_y = (
        np.rint(np.clip((a * start + b * y + c + a * (x - start)) * w, -(2**31), 2**31 - 1)).astype(np.int64)
        for a, b, c in (m[:3], m[3:6])
    )
    total = np.full((rows, columns, pixels.shape[2]), 512)
    for right in (0, 1):
        for below in (0, 1):
            px, py = (at_x >> 5) + right, (at_y >> 5) + below
            weight = abs(32 * (1 - right) - at_x % 32) * abs(32 * (1 - below) - at_y % 32)
            if border == "zero":
                weight = weight * ((px >= 0) & (px < width) & (py >= 0) & (py < height))
            total += weight[:, :, None] * pixels[np.clip(py, 0, height - 1), np.clip(px, 0, width - 1)]
    return (total >> 10).astype(np.uint8)


def random_case(random: np.random.Generator) -> tuple[npt.NDArray[np.uint8], Region, int, int, Border]:
    shape = [(40, 53, 3), (31, 17, 4), (2, 3, 3), (1, 1, 3), (64, 48)][random.integers(5)]
    image = random.integers(0, 256, shape, np.uint8)
    height, width = shape[:2]
    kind = random.integers(5)
    if kind == 0:
        r = region(width / 2, height / 2, width, height, 0)
    elif kind == 1:
        r = region(*random.uniform(0, width, 2), *random.uniform(1, 2 * width + 5, 2), random.uniform(-4, 4))
    elif kind == 2:  # far outside, far larger
        r = region(*random.uniform(-3e3, 3e3, 2), *(10 ** random.uniform(0, 5, 2)), random.uniform(-7, 7))
    elif kind == 3:  # a fraction of a pixel
        r = region(*random.uniform(0, width, 2), *(10 ** random.uniform(-4, 0, 2)), random.uniform(-7, 7))
    else:  # positions exactly between two steps
        r = region(
            *random.integers(0, width + 1, 2), *(2.0 ** random.integers(0, 8, 2)), random.integers(4) * np.pi / 2
        )
    columns, rows = [(64, 64), (37, 19), (8, 6), (130, 20), (5, 70), (1, 1), (1500, 2)][random.integers(7)]
    return image, r, columns, rows, ("zero", "replicate")[random.integers(2)]


def test_equals_its_twin() -> None:
    random = np.random.default_rng(2)
    for _ in range(300):
        image, r, columns, rows, border = random_case(random)
        sampled = sample_region(image, r, columns, rows, BYTES, border)
        expected = twin(image, r, columns, rows, border)
        assert sampled.shape == (1, rows, columns, 1 if image.ndim == 2 else 3)
        np.testing.assert_array_equal(sampled[0], expected, str((image.shape, r, columns, rows, border)))


# sha256 (first 16 digits) of what opencv-python 4.11.0.86 gives on the same input; see `recorded_image`
RECORDED = [
    # region, tensor size, border, digest
    ((60, 45, 120, 90, 0), (64, 64), "zero", "37b7b6b0758a7e4a"),
    ((60, 45, 120, 120, 0), (224, 224), "zero", "66f9b3adddb5d0eb"),
    ((60.3, 44.7, 70.25, 70.25, 0.7), (256, 256), "replicate", "5c012e8a2ac412a3"),
    ((10, 80, 90, 60, -2.5), (128, 96), "replicate", "67267afb720585e4"),
    ((10, 80, 90, 60, -2.5), (128, 96), "zero", "268de1c0eba4fb0a"),
    ((55.5, 33.3, 0.9, 0.7, 1.1), (37, 19), "replicate", "5f4c2b542164582b"),
    ((60, 45, 5000, 3000, 0.2), (192, 192), "zero", "e52ef734a8d2bedd"),
    ((-300, 500, 800, 700, 3.0), (100, 30), "replicate", "971bccdd53c8d568"),
    ((60, 45, 64, 32, 1.5707964), (256, 128), "zero", "150e4b90875b5e3b"),
    ((100, 20, 33, 47, 0), (1500, 3), "replicate", "3b907afac2a3903f"),
]


def recorded_image() -> npt.NDArray[np.uint8]:
    """An image made of integer arithmetic alone, with edges, ramps and noise."""
    y, x = np.mgrid[:90, :120].astype(np.int64)
    channels = [x * 2 + y, (x * y) % 256, (x * 7919 + y * 104729) * 2654435761 >> 7]
    return np.stack(channels, -1).astype(np.uint8)


@pytest.mark.parametrize(("values", "size", "border", "digest"), RECORDED)
def test_equals_opencv_4(values: tuple[float, ...], size: tuple[int, int], border: Border, digest: str) -> None:
    sampled = sample_region(recorded_image(), region(*values), *size, BYTES, border)
    assert hashlib.sha256(sampled.tobytes()).hexdigest()[:16] == digest


def test_whole_image_is_the_image() -> None:
    image = np.random.default_rng(3).integers(0, 256, (20, 30, 3), np.uint8)
    sampled = sample_region(image, region(15, 10, 30, 20, 0), 30, 20, ValueRange(0, 255), "zero")
    np.testing.assert_array_equal(sampled[0], image)
    assert sampled.dtype == np.float32


def test_layout_and_writability_of_the_image_do_not_matter() -> None:
    image = np.random.default_rng(4).integers(0, 256, (20, 30, 3), np.uint8)
    expected = sample_region(image, region(9, 9, 12, 12, 0.4), 8, 8, BYTES, "zero")
    frozen = image.copy()
    frozen.flags.writeable = False
    for same in (frozen, np.asfortranarray(image), np.repeat(image, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(sample_region(same, region(9, 9, 12, 12, 0.4), 8, 8, BYTES, "zero"), expected)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4, 2), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_wrong_image_is_refused(image: npt.NDArray[np.generic]) -> None:
    with pytest.raises(ValueError, match="an image must be uint8"):
        sample_region(image, region(2, 2, 4, 4, 0), 4, 4, BYTES, "zero")


@pytest.mark.parametrize(
    ("low", "high", "dtype", "expected"),
    [
        (0, 1, np.float32, {0: 0.0, 1: np.float32(1) / np.float32(255), 255: 1.0}),
        (-1, 1, np.float32, {0: -1.0, 33: np.float32(-0.7411764), 218: np.float32(0.709804)}),  # recorded
        (0, 255, np.uint8, {0: 0, 7: 7, 255: 255}),
        (-128, 127, np.int8, {0: -128, 128: 0, 255: 127}),
    ],
)
def test_values_of_a_range(low: float, high: float, dtype: npt.DTypeLike, expected: dict[int, float]) -> None:
    table = ValueRange(low, high, dtype).table
    assert table.dtype == dtype
    assert {index: table[index] for index in expected} == expected


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (0, 255), (-0.3, 7.7)])
def test_sampling_gives_each_value_as_the_table_has_it(low: float, high: float) -> None:
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    values = ValueRange(low, high)
    sampled = sample_region(image, region(8, 8, 16, 16, 0), 16, 16, values, "zero")
    np.testing.assert_array_equal(sampled[0, :, :, 0].ravel(), values.table)


def test_memory_is_one_plane_after_the_other() -> None:
    image = np.random.default_rng(5).integers(0, 256, (20, 30, 3), np.uint8)
    sampled = sample_region(image, region(9, 9, 12, 12, 0.4), 8, 6, ValueRange(0, 1), "zero")
    assert sampled.transpose(0, 3, 1, 2).flags.c_contiguous
