from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.image_cropping import Crop, ImageCropping, crop_image
from graphflow.calculators.payloads import NormalizedRect, Rect

from graphflow.testing import run_calculator

RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.integers(0, 256, (60, 80, 3), np.uint8)


def crop(options: dict[str, Any], image: npt.NDArray[Any] = IMAGE, **inputs: Any) -> Any:
    fed = {tag: [(0, value)] for tag, value in inputs.items()}
    given = run_calculator(ImageCropping, {"IMAGE": [(0, image)], **fed}, options)["IMAGE"]
    return given[0][1] if given else None


def by_opencv(image: npt.NDArray[Any], part: Crop, width: int, height: int, border: int) -> npt.NDArray[Any]:
    """MediaPipe's own steps: corner to corner, moved to pixel centres, nearest neighbour."""
    corners = cv2.boxPoints(((part.x_center, part.y_center), (part.width, part.height), np.degrees(part.rotation_rad)))
    targets = np.array([(0, height), (0, 0), (width, 0), (width, height)], np.float32)
    shift = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    matrix = np.linalg.inv(shift) @ cv2.getPerspectiveTransform(corners, targets) @ shift
    return cv2.warpPerspective(image, matrix, (width, height), flags=cv2.INTER_NEAREST, borderMode=border)


def by_numpy(image: npt.NDArray[Any], part: Crop, width: int, height: int, replicate: bool) -> npt.NDArray[Any]:
    """Twin of the kernel."""
    x, y = np.meshgrid((np.arange(width) + 0.5) / width - 0.5, (np.arange(height) + 0.5) / height - 0.5)
    x, y = x * part.width, y * part.height
    cos, sin = np.cos(part.rotation_rad), np.sin(part.rotation_rad)
    columns = np.rint(np.clip(cos * x - sin * y + part.x_center - 0.5, -1, image.shape[1])).astype(int)
    rows = np.rint(np.clip(sin * x + cos * y + part.y_center - 0.5, -1, image.shape[0])).astype(int)
    outside = (columns < 0) | (columns >= image.shape[1]) | (rows < 0) | (rows >= image.shape[0])
    found = image[np.clip(rows, 0, image.shape[0] - 1), np.clip(columns, 0, image.shape[1] - 1)]
    if not replicate:
        found[outside] = 0
    return found


PARTS = [
    Crop(40, 30, 40.0, 30.0, 0.0),
    Crop(33, 21, 41.3, 27.8, 0.4),
    Crop(50, 50, 5.2, 55.1, -2.5),
    Crop(300, 200, 40.3, 30.2, 1.1),
    Crop(7, 5, 500.0, -300.0, 0.3),
    Crop(1, 1, 10.5, 10.5, 0.0),
]


@pytest.mark.parametrize("image", [IMAGE, IMAGE[..., 0], IMAGE.astype(np.float32) / 7])
@pytest.mark.parametrize("replicate", [False, True])
@pytest.mark.parametrize("part", PARTS)
def test_the_kernel_and_its_twins(part: Crop, replicate: bool, image: npt.NDArray[Any]) -> None:
    for width, height in ((part.width, part.height), (max(part.width // 2, 1), max(part.height // 2, 1))):
        cropped = crop_image(image, part, width, height, replicate)
        assert cropped.shape == (height, width, *image.shape[2:])
        assert cropped.dtype == image.dtype
        same = cropped == by_numpy(image, part, width, height, replicate)
        assert same.mean() > 0.999  # an exact half may round either way
        border = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
        assert (cropped == by_opencv(image, part, width, height, border)).mean() > 0.99


def test_random_parts() -> None:
    for _ in range(40):
        width, height = RANDOM.integers(1, 90, 2).tolist()
        part = Crop(width, height, *RANDOM.uniform(-20, 90, 2).tolist(), float(RANDOM.uniform(-4, 4)))
        cropped = crop_image(IMAGE, part, width, height, True)
        assert (cropped == by_opencv(IMAGE, part, width, height, cv2.BORDER_REPLICATE)).mean() > 0.98


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none(number: float) -> None:
    with pytest.raises(ValueError, match="must be finite"):
        crop_image(IMAGE, Crop(5, 5, number, 3.0, 0.0), 5, 5, True)


@pytest.mark.parametrize(
    ("options", "inputs", "expected"),
    [
        ({}, {"RECT": Rect(20, 30, 10, 12)}, IMAGE[24:36, 15:25]),
        ({}, {"NORM_RECT": NormalizedRect(0.25, 0.5, 0.125, 0.2)}, IMAGE[24:36, 15:25]),
        ({}, {"NORM_RECT": NormalizedRect(0.25, 0.5, 0.0, 0.2)}, IMAGE),
        ({}, {"WIDTH": 10, "HEIGHT": 12}, IMAGE[24:36, 35:45]),
        ({"width": 10, "height": 12}, {}, IMAGE[24:36, 35:45]),
        ({"norm_width": 0.125, "norm_height": 0.2}, {}, IMAGE[24:36, 35:45]),
        ({"width": 10, "height": 12, "norm_center_x": 0.25, "norm_center_y": 0.5}, {}, IMAGE[24:36, 15:25]),
        ({"width": 9, "height": 11, "norm_center_x": 0.25, "norm_center_y": 0.5}, {}, IMAGE[25:36, 16:25]),
        ({"width": 20, "height": 30, "rotation": float(np.pi / 2)}, {}, np.rot90(IMAGE[20:40, 25:55])),
    ],
)
def test_ways_to_say_what_to_cut_out(options: Any, inputs: Any, expected: Any) -> None:
    assert (crop(options, **inputs) == expected).all()


def test_a_largest_size() -> None:
    cropped = crop({"output_max_width": 20, "output_max_height": 1000}, RECT=Rect(40, 30, 80, 60))
    assert cropped.shape == (15, 20, 3)
    assert crop({"output_max_width": 500}, RECT=Rect(40, 30, 80, 60)).shape == (60, 80, 3)


def test_no_rectangle_no_image() -> None:
    given = run_calculator(ImageCropping, {"IMAGE": [(0, IMAGE), (1, IMAGE)], "RECT": [(1, Rect(9, 9, 3, 3))]})
    assert [timestamp for timestamp, _ in given["IMAGE"]] == [1]


@pytest.mark.parametrize(
    "options", [{}, {"width": 5}, {"width": 5, "height": 5, "norm_width": 0.1, "norm_height": 0.1}]
)
def test_one_way_only(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="in one way"):
        crop(options)
