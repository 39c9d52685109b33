"""Heatmaps, SimCC vectors and coordinates: made and read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from graphflow.calculators.geometry.person_crop import box_to_center_scale, crop_matrix, inverse_matrix, transformed
from graphflow.calculators.tensor.flip_test import (
    average,
    unflipped_coordinates,
    unflipped_heatmaps,
    unflipped_simcc,
)
from graphflow.calculators.tensor.heatmap_decoding import decode_heatmaps
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
)
from graphflow.calculators.tensor.simcc import decode_regression, decode_simcc

from .cases import Array, Case, differences
from .runner import arrays_are_there

_POINTS, _VALUES, _DARK = 1e-4, 1e-5, 2e-3


def _size(case: Case) -> str:
    return case.id.rpartition("_")[2]


def _shared(case: Case) -> Case:
    return case.topic.cases[f"inputs_{_size(case)}"]


def _maps(case: Case) -> Array:
    if "heatmaps" in case.inputs:
        maps: Array = case.input("heatmaps")
        return maps
    name = case.params.get("map", "zoo")
    if name in ("zoo", "degenerate"):
        given: Array = _shared(case).input(name)
        return given
    encoded: Array = case.topic.cases[name].output("heatmaps")
    return encoded


def _sizes(case: Case) -> tuple[Any, Any]:
    return tuple(case.params["input_size"]), tuple(case.params["heatmap_size"])


def _maxima(case: Case) -> Iterator[str]:
    locations, values = heatmap_maxima(_maps(case))
    yield from differences("locations", locations, case.output("locations"))
    yield from differences("values", values, case.output("values"))


def _refined(case: Case) -> Iterator[str]:
    maps = _maps(case)
    peaks, _ = heatmap_maxima(maps)
    kernel = case.params.get("kernel", 0)
    got, tolerance = {
        "refine_keypoints": lambda: (quarter_offset(maps, peaks), 0.0),
        "refine_keypoints_dark": lambda: (dark_offset(maps, peaks, kernel), _DARK),
        "refine_keypoints_dark_udp": lambda: (udp_offset(maps, peaks, kernel), _DARK),
    }[case.kind]()
    yield from differences("keypoints", got[None], case.output("keypoints"), tolerance)


def _blur(case: Case) -> Iterator[str]:
    blurred = modulated(_maps(case), case.params["kernel"])
    yield from differences("channel_maxima", blurred.max(axis=(1, 2)), case.output("channel_maxima"), _VALUES)
    sums = blurred.sum(axis=(1, 2), dtype=np.float64)
    yield from differences("channel_sums", sums, case.output("channel_sums"), _VALUES, 1e-6)
    yield from differences("channel_1", blurred[1], case.output("channel_1"), _VALUES)


def _encode(case: Case) -> Iterator[str]:
    params, shared = case.params, _shared(case)
    given = (shared.input("keypoints")[0], shared.input("visible")[0], *_sizes(case))
    if case.kind.startswith("Megvii"):
        maps, weights = encode_megvii(*given, params["kernel_size"])
    elif params.get("heatmap_type") == "combined":
        maps, weights = encode_udp_combined(*given, params["radius_factor"])
    elif "heatmap_type" in params:
        maps, weights = encode_gaussian(*given, params["sigma"], "udp")
    else:
        maps, weights = encode_gaussian(*given, params["sigma"], "unbiased" if params["unbiased"] else "rounded")
    yield from differences("heatmaps", maps, case.output("heatmaps"), _VALUES)
    yield from differences("weights", weights[None], case.output("weights"))


def _decode(case: Case) -> Iterator[str]:
    params = case.params
    tolerance, kernel = _DARK, params.get("blur_kernel_size", params.get("kernel_size", 11))
    if case.kind.startswith("Megvii"):
        decoder, tolerance = "megvii", _POINTS
    elif "heatmap_type" in params:
        decoder = "udp" if params["heatmap_type"] == "gaussian" else "udp_combined"
    elif params["unbiased"]:
        decoder = "dark"
    else:
        decoder, tolerance = "quarter_offset", 0.0
    input_size, _ = _sizes(case)
    factor = params.get("radius_factor", 0.0546875)
    points, scores = decode_heatmaps(_maps(case), input_size, decoder, kernel, factor, "mmpose")  # type: ignore[arg-type]
    meaningful = np.ones(len(points), bool)
    if params.get("map", "").startswith("encode_"):  # the note: channels without weight are not meaningful
        meaningful = case.topic.cases[params["map"]].output("weights")[0] > 0
    if decoder == "udp_combined":  # the README: on empty maps UDP reads the neighbouring channel
        meaningful &= case.output("scores")[0] > 0
    yield from differences("keypoints", points[meaningful], case.output("keypoints")[0][meaningful], tolerance)
    yield from differences("scores", scores[meaningful], case.output("scores")[0][meaningful], _VALUES)


def _alphapose(case: Case) -> Iterator[str]:
    maps = _maps(case)
    _, size = _sizes(case)
    points, scores = decode_heatmaps(maps, size, "alphapose")
    center, scale = box_to_center_scale(case.params["box_xyxy"])
    back = transformed(points, inverse_matrix(crop_matrix(center, scale, size)))
    yield from differences("keypoints", back, case.output("keypoints"), _POINTS)
    yield from differences("scores", scores[:, None], case.output("scores"), _VALUES)


def _flip_test(case: Case) -> Iterator[str]:
    maps = _maps(case)
    answer = case.topic.cases[f"flip_inputs_{_size(case)}"].input("maps_of_flipped_image")[0]
    mirrored = unflipped_heatmaps(answer, case.params["flip_indices"], shift=case.params["shift_heatmap"])
    mean = average(maps, mirrored)
    yield from differences("average_channel_1", mean[1], case.output("average_channel_1"), _VALUES)
    sums = mean.sum(axis=(1, 2), dtype=np.float64)
    yield from differences("average_sum", sums, case.output("average_sum"), _VALUES, 1e-6)
    input_size, _ = _sizes(case)
    for name, decoder, tolerance in (("msra", "quarter_offset", _POINTS), ("udp", "udp", _DARK)):
        points, scores = decode_heatmaps(mean, input_size, decoder, reference="mmpose")  # type: ignore[arg-type]
        yield from differences(f"keypoints_{name}", points[None], case.output(f"keypoints_{name}"), tolerance)
        yield from differences(f"scores_{name}", scores[None], case.output(f"scores_{name}"), _VALUES)


def _flip_modes(case: Case) -> Iterator[str]:
    params = case.params
    for mode in case.outputs:
        got = unflipped_heatmaps(case.input(mode), params["flip_indices"], mode, params["shift_heatmap"])  # type: ignore[arg-type]
        yield from differences(mode, got, case.output(mode))


def _simcc(case: Case) -> Iterator[str]:
    params, shared = case.params, _shared(case)
    sigma = params.get("sigma", 6.0)
    x, y, weights = encode_simcc(
        shared.input("keypoints")[0],
        shared.input("visible")[0],
        tuple(params["input_size"]),
        params["simcc_split_ratio"],
        tuple(sigma) if isinstance(sigma, list) else sigma,
        params["smoothing_type"],
        params.get("label_smooth_weight", 0.0),
        params.get("normalize", True),
    )
    for name, got in (("x_labels", x), ("y_labels", y), ("weights", weights)):
        yield from differences(name, got[None], case.output(name), _VALUES)
    dark = tuple(np.broadcast_to(sigma, 2).tolist()) if params.get("use_dark") else None
    vectors = case.input("simcc_x")[0], case.input("simcc_y")[0]
    points, scores = decode_simcc(*vectors, params["simcc_split_ratio"], dark)
    yield from differences("keypoints", points[None], case.output("keypoints"), _DARK if dark else _POINTS)
    yield from differences("scores", scores[None], case.output("scores"), _VALUES)


def _flip_vectors(case: Case) -> Iterator[str]:
    of = case.other("of")
    x, y = unflipped_simcc(of.input("simcc_x"), of.input("simcc_y"), case.params["flip_indices"])
    yield from differences("x", x, case.output("x"))
    yield from differences("y", y, case.output("y"))


def _regression(case: Case) -> Iterator[str]:
    shared, (size, _) = _shared(case), _sizes(case)
    labels, weights = encode_regression(shared.input("keypoints")[0], shared.input("visible")[0], size)
    yield from differences("labels", labels[None], case.output("labels"), _VALUES)
    yield from differences("weights", weights[None], case.output("weights"))
    points, scores = decode_regression(case.input("prediction_xy_sigma")[0], size)
    yield from differences("keypoints", points[None], case.output("keypoints"), _POINTS)
    yield from differences("scores", scores[None], case.output("scores"), _VALUES)


def _flip_coordinates(case: Case) -> Iterator[str]:
    points = case.topic.cases[f"regression_{_size(case)}"].input("prediction_xy_sigma")[..., :2]
    (width, _), _ = _sizes(case)
    for name, shift in (("shifted", True), ("unshifted", False)):
        got = unflipped_coordinates(points, case.params["flip_indices"], width, shift)
        yield from differences(name, got, case.output(name), _VALUES)


CHECKS = {
    "shared inputs": arrays_are_there,
    "get_heatmap_maximum": _maxima,
    "refine_keypoints": _refined,
    "gaussian_blur (modulation)": _blur,
    "refine_keypoints_dark": _refined,
    "refine_keypoints_dark_udp": _refined,
    "MSRAHeatmap.encode": _encode,
    "MSRAHeatmap.decode": _decode,
    "UDPHeatmap.encode": _encode,
    "UDPHeatmap.decode": _decode,
    "MegviiHeatmap.encode": _encode,
    "MegviiHeatmap.decode": _decode,
    "heatmap_to_coord_simple": _alphapose,
    "flip_heatmaps + average + decode": _flip_test,
    "flip_heatmaps": _flip_modes,
    "SimCCLabel": _simcc,
    "flip_vectors": _flip_vectors,
    "RegressionLabel": _regression,
    "flip_coordinates": _flip_coordinates,
}
