"""BackgroundBlur: people stay as they are, the rest blurs and darkens."""

from typing import Any

import numpy as np
import pytest
from graphflow.calculators.render.background import BackgroundBlur, set_back

from graphflow.testing import run_calculator

HEIGHT, WIDTH = 120, 200
LEFT: Any = np.zeros((HEIGHT, WIDTH), np.float32)
LEFT[:, : WIDTH // 2] = 1
STRIPES: Any = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
STRIPES[:, ::2] = 240


def render(image: Any, mask: Any, **options: Any) -> Any:
    fed = {"IMAGE": [(0, image)], "MASK": [] if mask is None else [(0, mask)]}
    ((_, seen),) = run_calculator(BackgroundBlur, fed, options)["IMAGE"]
    return seen


def test_people_stay_and_the_background_steps_back() -> None:
    seen = render(STRIPES, LEFT)
    np.testing.assert_array_equal(seen[:, : WIDTH // 2], STRIPES[:, : WIDTH // 2])
    behind = seen[:, WIDTH // 2 :].astype(int)
    assert np.ptp(behind, axis=1).max() < 12
    assert behind.mean() < 110


def test_neither_blurred_nor_dimmed_is_the_image() -> None:
    np.testing.assert_array_equal(render(STRIPES, LEFT, blur=0.0, dim=0.0), STRIPES)


def test_people_do_not_bleed_into_the_blur() -> None:
    image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    image[:, : WIDTH // 2] = (255, 0, 0)
    behind = render(image, LEFT, dim=0.0)[:, WIDTH // 2 :].astype(int)
    assert abs(behind - 40).max() <= 12


def test_dimming_goes_towards_dark_blue() -> None:
    red, _, blue = set_back(np.full((4, 4, 3), 200, np.uint8), np.zeros((4, 4), np.float32), 0.0, 0.5)[0, 0]
    assert red < blue < 200


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_what_is_not_people_is_background(value: float) -> None:
    mask = np.full((HEIGHT, WIDTH), value, np.float32)
    np.testing.assert_array_equal(set_back(STRIPES, mask, 0.0, 1.0), np.full_like(STRIPES, (22, 30, 48)))


def test_a_smaller_mask_is_scaled() -> None:
    seen = render(STRIPES, np.array([[1, 0]], np.float32), blur=0.0, dim=1.0)
    np.testing.assert_array_equal(seen[:, :40], STRIPES[:, :40])
    assert (seen[:, -40:] == (22, 30, 48)).all()


def test_an_image_without_a_mask_passes() -> None:
    assert render(STRIPES, None) is STRIPES


@pytest.mark.parametrize("image", [STRIPES[..., 0], STRIPES.astype(np.float32), np.zeros((4, 4, 4), np.uint8)])
def test_what_it_refuses(image: Any) -> None:
    with pytest.raises(ValueError, match="a background is blurred in"):
        render(image, LEFT)
