"""Heatmap decoders: kernels against twins in numpy, and keypoints that come back from the maps made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.tensor.flip_test import unflipped_coordinates, unflipped_heatmaps, unflipped_simcc
from graphflow.calculators.tensor.heatmap_decoding import DECODERS, decode_heatmaps
from graphflow.calculators.tensor.heatmap_encoding import (
    encode_gaussian,
    encode_megvii,
    encode_regression,
    encode_simcc,
    encode_udp_combined,
)
from graphflow.calculators.tensor.heatmap_peaks import (
    dark_offset,
    heatmap_maxima,
    modulated,
    quarter_offset,
    udp_offset,
    udp_offset_of_logarithms,
)
from graphflow.calculators.tensor.simcc import decode_regression, decode_simcc
from graphflow.calculators.tensor.tensors_to_keypoints import (
    FlipTensor,
    HeatmapsToLandmarks,
    RegressionToLandmarks,
    SimCCToLandmarks,
)

from graphflow.testing import run_calculator

Floats = npt.NDArray[np.float32]
INPUT, MAP = (192, 256), (48, 64)
POINTS = np.array([[100.3, 130.7], [20.2, 30.9], [150.5, 215.1], [96.0, 128.0]])
SEEN = np.ones(len(POINTS))


def _twin_step(surface: Floats, x: int, y: int, reach: int) -> Floats:
    """Newton's step with differences over `reach` pixels."""
    m = surface.astype(np.float64)
    dx, dy = (m[y, x + 1] - m[y, x - 1]) / 2, (m[y + 1, x] - m[y - 1, x]) / 2
    if reach == 2:
        dxx, dyy = (m[y, x + 2] - 2 * m[y, x] + m[y, x - 2]) / 4, (m[y + 2, x] - 2 * m[y, x] + m[y - 2, x]) / 4
        dxy = (m[y + 1, x + 1] - m[y - 1, x + 1] - m[y + 1, x - 1] + m[y - 1, x - 1]) / 4
        hessian = np.array([[dxx, dxy], [dxy, dyy]])
    else:
        dxx, dyy = m[y, x + 1] - 2 * m[y, x] + m[y, x - 1], m[y + 1, x] - 2 * m[y, x] + m[y - 1, x]
        dxy = (m[y + 1, x + 1] - m[y, x + 1] - m[y + 1, x] + 2 * m[y, x]) / 2
        dxy += (m[y - 1, x - 1] - m[y, x - 1] - m[y - 1, x]) / 2
        hessian = np.array([[dxx, dxy], [dxy, dyy]]) + np.eye(2) * np.finfo(np.float32).eps
    moved: Floats = np.array([x, y]) - np.linalg.solve(hessian, [dx, dy])
    return moved


@pytest.mark.parametrize("seed", range(5))
def test_maxima_and_steps_equal_their_twins(seed: int) -> None:
    maps = np.random.default_rng(seed).random((6, 20, 15), np.float32)
    locations, values = heatmap_maxima(maps)
    expected = [np.unravel_index(int(each.argmax()), each.shape)[::-1] for each in maps]
    np.testing.assert_array_equal(locations, expected)
    np.testing.assert_array_equal(values, maps.max(axis=(1, 2)))
    logarithms = np.log(np.maximum(modulated(maps, 5), 1e-10))
    dark, udp = dark_offset(maps, locations, 5), udp_offset_of_logarithms(logarithms, locations)
    for k, (x, y) in enumerate(locations.astype(int)):
        inside = 1 < x < 13 and 1 < y < 18
        np.testing.assert_allclose(
            dark[k], _twin_step(logarithms[k], x, y, 2) if inside else (x, y), rtol=1e-4, atol=1e-3
        )
        if 0 < x < 14 and 0 < y < 19:
            np.testing.assert_allclose(udp[k], _twin_step(logarithms[k], x, y, 1), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "maps",
    [
        np.zeros((2, 5, 4), np.float32),
        np.full((2, 5, 4), -1, np.float32),
        np.full((2, 5, 4), np.nan, np.float32),
        np.ones((2, 1, 1), np.float32),
        np.zeros((0, 5, 4), np.float32),
    ],
    ids=["zero", "negative", "NaN", "one pixel", "no keypoints"],
)
@pytest.mark.parametrize("decoder", [each for each in DECODERS if each != "udp_combined"])
def test_maps_without_a_peak_are_survived(maps: Floats, decoder: Any) -> None:
    points, scores = decode_heatmaps(maps, (16, 20), decoder, 3)
    assert points.shape == (len(maps), 2)
    assert scores.shape == (len(maps),)


def test_nan_is_lower_than_anything() -> None:
    maps = np.full((1, 3, 3), np.nan, np.float32)
    maps[0, 1, 2] = 0.5
    assert heatmap_maxima(maps)[0].tolist() == [[2, 1]]
    with pytest.raises(ValueError, match=r"\[K, H, W\]"):
        heatmap_maxima(np.zeros((3, 3), np.float32))


@pytest.mark.parametrize(
    ("rule", "moved"), [("mmpose", (0.0, 0.0)), ("alphapose", (0.0, 0.0)), ("higherhrnet", (-0.25, -0.25))]
)
def test_a_tie_moves_only_as_higherhrnet_has_it(rule: Any, moved: tuple[float, float]) -> None:
    flat = np.ones((1, 9, 9), np.float32)
    np.testing.assert_array_equal(quarter_offset(flat, np.float32([[4, 4]]), rule), [[4 + moved[0], 4 + moved[1]]])


@pytest.mark.parametrize(
    ("placed", "decoder", "within"),
    [("rounded", "quarter_offset", 3.0), ("unbiased", "dark", 0.02), ("udp", "udp", 0.06), ("rounded", "argmax", 3.0)],
)
def test_keypoints_come_back_from_their_maps(placed: Any, decoder: Any, within: float) -> None:
    maps, weights = encode_gaussian(POINTS, SEEN, INPUT, MAP, 2.0, placed)
    points, scores = decode_heatmaps(maps, INPUT, decoder)
    assert np.abs(points - POINTS).max() < within
    assert weights.tolist() == [1] * len(POINTS)
    assert scores.min() > 0.8


def test_keypoints_come_back_from_the_other_encodings() -> None:
    maps, _ = encode_udp_combined(POINTS, SEEN, INPUT, MAP)
    assert np.abs(decode_heatmaps(maps, INPUT, "udp_combined")[0] - POINTS).max() < 1e-3
    maps, _ = encode_megvii(POINTS, SEEN, INPUT, MAP)
    assert np.abs(decode_heatmaps(maps, INPUT, "megvii")[0] - POINTS).max() < 4
    x, y, _ = encode_simcc(POINTS, SEEN, INPUT, normalize=False)
    assert np.abs(decode_simcc(x, y)[0] - POINTS).max() <= 0.25
    labels, weights = encode_regression(POINTS, SEEN, INPUT)
    assert np.abs(decode_regression(labels, INPUT)[0] - POINTS).max() < 1e-4
    assert weights.tolist() == [1] * len(POINTS)


def test_mmposes_scale_of_udp_is_too_long() -> None:
    maps, _ = encode_gaussian(POINTS, SEEN, INPUT, MAP, 2.0, "udp")
    exact, longer = (decode_heatmaps(maps, INPUT, "udp", reference=each)[0] for each in ("exact", "mmpose"))  # type: ignore[arg-type]
    np.testing.assert_allclose(longer, exact * (192 / 191, 256 / 255))


@pytest.mark.parametrize("point", [(-80.0, 10.0), (10.0, 600.0), (400.0, 10.0)])
def test_keypoints_far_outside_have_no_weight(point: tuple[float, float]) -> None:
    for placed in ("rounded", "unbiased", "udp"):
        maps, weights = encode_gaussian([point], [1], INPUT, MAP, 2.0, placed)  # type: ignore[arg-type]
        assert (maps.max(), weights.tolist()) == (0, [0])
    assert encode_megvii([point], [1], INPUT, MAP)[1].tolist() == [0]
    assert encode_simcc([point], [1], INPUT, smoothing="standard")[2].tolist() == [0]
    assert encode_gaussian(POINTS[:1], [0], INPUT, MAP, 2.0)[0].max() == 0


def test_what_is_mirrored_twice_is_as_it_was() -> None:
    rng = np.random.default_rng(1)
    partners = [0, 2, 1]
    for mode, channels in (("heatmap", 3), ("udp_combined", 9), ("offset", 6)):
        maps = rng.normal(size=(channels, 8, 6)).astype(np.float32)
        twice = unflipped_heatmaps(unflipped_heatmaps(maps, partners, mode), partners, mode)  # type: ignore[arg-type]
        np.testing.assert_array_equal(twice, maps)
    x, y = rng.random((3, 7), np.float32), rng.random((3, 5), np.float32)
    np.testing.assert_array_equal(unflipped_simcc(*unflipped_simcc(x, y, partners), partners)[0], x)
    points = rng.random((3, 2), np.float32)
    again = unflipped_coordinates(unflipped_coordinates(points, partners, 192), partners, 192)
    np.testing.assert_allclose(again, points, atol=1e-6)
    with pytest.raises(ValueError, match="6 channels of offset"):
        unflipped_heatmaps(np.zeros((3, 4, 4), np.float32), partners, "offset")


def test_the_calculators_give_normalized_landmarks() -> None:
    maps, _ = encode_gaussian(POINTS, SEEN, INPUT, MAP, 2.0, "unbiased")
    mirrored = maps[..., ::-1].copy()
    partners = [0, 1, 2, 3]
    options = {"decoder": "dark", "flip_partners": partners}
    for tensors, extra in (([maps[None]], {}), ([maps.transpose(1, 2, 0)[None]], {"layout": "NHWC"})):
        (emitted,) = run_calculator(HeatmapsToLandmarks, {"TENSORS": [(5, tensors)]}, {**options, **extra}).values()
        np.testing.assert_allclose(emitted[0][1].xyz[:, :2], POINTS / INPUT, atol=2e-4)
    both = {"TENSORS": [(5, [maps[None]])], "FLIPPED_TENSORS": [(5, [mirrored[None]])]}
    (flipped,) = run_calculator(HeatmapsToLandmarks, both, options).values()
    np.testing.assert_allclose(flipped[0][1].xyz[:, :2], POINTS / INPUT, atol=2e-4)

    x, y, _ = encode_simcc(POINTS, SEEN, INPUT, normalize=False)
    (simcc,) = run_calculator(SimCCToLandmarks, {"TENSORS": [(0, [x[None], y[None]])]}).values()
    np.testing.assert_allclose(simcc[0][1].xyz[:, :2], POINTS / INPUT, atol=2e-3)
    labels, _ = encode_regression(POINTS, SEEN, INPUT)
    (plain,) = run_calculator(RegressionToLandmarks, {"TENSORS": [(0, [labels[None]])]}).values()
    np.testing.assert_allclose(plain[0][1].xyz[:, :2], labels)
    image = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
    (turned,) = run_calculator(FlipTensor, {"TENSORS": [(0, [image])]}).values()
    np.testing.assert_array_equal(turned[0][1][0], image[..., ::-1])


def test_offsets_stay_on_locations_outside_the_map() -> None:
    maps = np.random.default_rng(0).random((1, 8, 8), np.float32)
    outside = np.float32([[-1, -1]])
    for moved in (quarter_offset(maps, outside), dark_offset(maps, outside, 3), udp_offset(maps, outside, 3)):
        np.testing.assert_array_equal(moved, outside)
