"""The affine kernel against a twin in numpy and against recorded results of OpenCV 4.11."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.affine import warp_affine
from graphflow.calculators.image.warp import Border

Array = npt.NDArray[Any]


def twin(image: Array, matrix: Array, width: int, height: int, border: Border) -> Array:
    """The same arithmetic on whole arrays: positions in 1/1024 pixel, cut to 1/32, exact weights in float32."""
    pixels = np.atleast_3d(image).astype(np.float32)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    limit = 2**31 - 1
    at_x, at_y = (
        (np.rint(np.clip(m[0] * x * 1024, -limit, limit)) + np.rint(np.clip((m[1] * y + m[2]) * 1024, -limit, limit)))
        .astype(np.int64)
        + 16
        >> 5
        for m in np.asarray(matrix, np.float64)
    )
    total = np.zeros((height, width, pixels.shape[2]), np.float32)
    for below in (0, 1):
        for right in (0, 1):
            px, py = (at_x >> 5) + right, (at_y >> 5) + below
            weight = (abs(32 * (1 - right) - at_x % 32) * abs(32 * (1 - below) - at_y % 32) / 1024).astype(np.float32)
            if border == "zero":
                weight = weight * ((px >= 0) & (px < image.shape[1]) & (py >= 0) & (py < image.shape[0]))
            total += weight[:, :, None] * pixels[py.clip(0, image.shape[0] - 1), px.clip(0, image.shape[1] - 1)]
    if image.dtype == np.uint8:
        total = np.floor(total + np.float32(0.5))
    return total.astype(image.dtype).reshape(height, width, *image.shape[2:])


def random_case(random: np.random.Generator) -> tuple[Array, Array, int, int, Border]:
    shape = [(40, 53, 3), (31, 17), (2, 3, 4), (1, 1), (64, 48)][random.integers(5)]
    image = random.random(shape, np.float32) if random.integers(2) else random.integers(0, 256, shape, np.uint8)
    width, height = [(64, 64), (37, 19), (1, 1), (90, 3)][random.integers(4)]
    scale = 10 ** random.uniform(-3, 3) if random.integers(4) == 0 else 1.0
    matrix = random.uniform(-2, 2, (2, 3)) * scale
    matrix[:, 2] *= random.uniform(0, 40)
    if random.integers(3) == 0:  # positions exactly on and between the steps
        matrix = np.rint(matrix * 64) / 64
    return image, matrix.astype(np.float32), width, height, ("zero", "replicate")[random.integers(2)]


def test_equals_its_twin() -> None:
    random = np.random.default_rng(5)
    for _ in range(400):
        image, matrix, width, height, border = random_case(random)
        warped = warp_affine(image, matrix, width, height, border)
        assert warped.dtype == image.dtype
        np.testing.assert_array_equal(warped, twin(image, matrix, width, height, border), str((image.shape, matrix)))


# sha256 (first 16 digits) of what opencv-python 4.11.0.86 gives on the same input; see `recorded_image`
RECORDED: list[tuple[str, tuple[float, ...], tuple[int, int], Border, str]] = [
    ("bytes", (1, 0, 0, 0, 1, 0), (120, 90), "zero", "7e409c58f7678ecb"),
    ("bytes", (1, 0, 0, 0, 1, 0), (120, 90), "replicate", "7e409c58f7678ecb"),
    ("bytes", (0.31, -0.2, 17.3, 0.2, 0.31, -4.7), (300, 200), "zero", "cd6ed9fa3321249d"),
    ("bytes", (0.31, -0.2, 17.3, 0.2, 0.31, -4.7), (300, 200), "replicate", "5318980c6a04c052"),
    ("bytes", (2.5, 1.25, -60.5, -1.25, 2.5, 30.25), (64, 64), "zero", "7c7628507d49baf1"),
    ("bytes", (2.5, 1.25, -60.5, -1.25, 2.5, 30.25), (64, 64), "replicate", "7a511ae5ddf08b70"),
    ("bytes", (-0.999, 0.044, 150.1, -0.044, -0.999, 70.9), (131, 97), "zero", "38e6e99c3d5af344"),
    ("bytes", (-0.999, 0.044, 150.1, -0.044, -0.999, 70.9), (131, 97), "replicate", "5864e68e3d7e0d03"),
    ("mask", (1, 0, 0, 0, 1, 0), (120, 90), "zero", "195f00065b165453"),
    ("mask", (1, 0, 0, 0, 1, 0), (120, 90), "replicate", "195f00065b165453"),
    ("mask", (0.31, -0.2, 17.3, 0.2, 0.31, -4.7), (300, 200), "zero", "2ef0015c7e9af54d"),
    ("mask", (0.31, -0.2, 17.3, 0.2, 0.31, -4.7), (300, 200), "replicate", "e2da3d8583c0c72c"),
    ("mask", (2.5, 1.25, -60.5, -1.25, 2.5, 30.25), (64, 64), "zero", "294905f01eddc747"),
    ("mask", (2.5, 1.25, -60.5, -1.25, 2.5, 30.25), (64, 64), "replicate", "d76fdb0dac3e0529"),
    ("mask", (-0.999, 0.044, 150.1, -0.044, -0.999, 70.9), (131, 97), "zero", "2094359726276a90"),
    ("mask", (-0.999, 0.044, 150.1, -0.044, -0.999, 70.9), (131, 97), "replicate", "9576e5c416b03bf4"),
]


def recorded_image(kind: str) -> Array:
    """Bytes in three channels, or a mask, that everybody can compute."""
    n = np.arange(90 * 120 * 3)
    image = (n * n % 251 + n // 7 % 5).astype(np.uint8).reshape(90, 120, 3)
    return image if kind == "bytes" else image[:, :, 0].astype(np.float32) / np.float32(255)


@pytest.mark.parametrize(("kind", "matrix", "size", "border", "digest"), RECORDED)
def test_equals_opencv_bit_for_bit(
    kind: str, matrix: tuple[float, ...], size: tuple[int, int], border: Border, digest: str
) -> None:
    warped = warp_affine(recorded_image(kind), np.float32(matrix).reshape(2, 3), *size, border)
    assert hashlib.sha256(warped.tobytes()).hexdigest()[:16] == digest


def test_nan_in_a_mask_reaches_its_neighbours_only() -> None:
    image = np.zeros((4, 4), np.float32)
    image[1, 1] = np.nan
    warped = warp_affine(image, np.float32([[1, 0, 0], [0, 1, 0]]), 4, 4, "zero")
    # a weight of nothing times what is no number is no number
    assert np.argwhere(np.isnan(warped)).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_read_only_and_strided_images() -> None:
    image = recorded_image("bytes")
    image.flags.writeable = False
    matrix = np.float32([[0.5, 0.1, 3], [-0.1, 0.5, 3]])
    part = image[::2, ::-1]
    np.testing.assert_array_equal(
        warp_affine(part, matrix, 40, 40, "zero"), warp_affine(part.copy(), matrix, 40, 40, "zero")
    )


UNIT = np.eye(3)[:2]


@pytest.mark.parametrize(
    ("image", "matrix", "size", "message"),
    [
        (np.zeros((3, 4)), UNIT, (2, 2), r"not float64 \[3, 4\]"),
        (np.zeros((0, 4), np.uint8), UNIT, (2, 2), r"not uint8 \[0, 4\]"),
        (np.zeros(4, np.uint8), UNIT, (2, 2), r"not uint8 \[4\]"),
        (np.zeros((3, 4), np.uint8), UNIT, (2, 0), "2 x 0"),
        (np.zeros((3, 4), np.uint8), np.eye(3), (2, 2), "six finite numbers"),
        (np.zeros((3, 4), np.uint8), UNIT * np.nan, (2, 2), "six finite numbers"),
    ],
)
def test_what_cannot_be_warped(image: Array, matrix: Array, size: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        warp_affine(image, matrix, *size, "zero")
