"""Crops of people and the way back."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from graphflow.calculators.geometry.person_crop import (
    box_to_center_scale,
    center_scale_to_box,
    crop_matrix,
    cropped,
    fix_aspect_ratio,
    inverse_matrix,
    points_back,
    transformed,
)

from .cases import Array, Case, differences
from .runner import arrays_are_there

_MATRIX = {"rtol": 1e-5, "atol": 1e-4}
_KEYPOINTS = 1e-3


def _boxes(case: Case) -> Iterator[str]:
    padding = case.params["padding"]
    center, scale = box_to_center_scale(case.input("boxes"), padding)
    yield from differences("center", center, case.output("center"), **_MATRIX)
    yield from differences("scale", scale, case.output("scale"), **_MATRIX)
    yield from differences("back", center_scale_to_box(center, scale, padding), case.output("back"), **_MATRIX)


def _top_down(case: Case) -> Iterator[str]:
    params = case.params
    size, rotation = tuple(params["input_size"]), params["rotation"]
    center, scale = case.input("center"), case.input("scale")
    fixed = fix_aspect_ratio(scale, size[0] / size[1])
    warp = crop_matrix(center, fixed, size, rotation, reference="mmpose")
    exact = crop_matrix(center, fixed, size, rotation)
    yield from differences("warp, exact", exact, case.output("warp"), **_MATRIX)
    corners = crop_matrix(center, fixed, size, -rotation, "corners")  # UDP's turns the other way
    image_points, network_points = case.input("keypoints_image"), case.input("keypoints_network")
    matrices: dict[str, Array] = {
        "scale_fixed_aspect": fixed,
        "warp": warp,
        "warp_inverse": inverse_matrix(warp),
        "warp_free_aspect": crop_matrix(center, scale, size, rotation, "free"),
        "warp_shifted": crop_matrix(center, fixed, size, rotation, shift=tuple(params["shift_of_warp_shifted"])),
        "warp_udp": corners,
    }
    points = {
        "keypoints_in_crop": transformed(image_points, warp),
        "keypoints_in_crop_udp": transformed(image_points, corners),
        "keypoints_back_by_inverse": points_back(network_points, center, fixed, size, rotation),
        "keypoints_back": points_back(network_points, center, fixed, size, reference="mmpose"),
    }
    small = (size[0] // 4, size[1] // 4)
    crops = {
        "crop": crop_matrix(center / 2, fixed / 2, small, rotation),
        "crop_udp": crop_matrix(center / 2, fixed / 2, small, -rotation, "corners"),
    }
    for name in case.outputs:
        want = case.output(name)
        if name in matrices:
            yield from differences(name, matrices[name], want, **_MATRIX)
        elif name in points:
            yield from differences(name, points[name], want, _within(want))
        else:
            got = cropped(case.topic.cases["image"].input("image"), crops[name], small)
            off = float(np.abs(got.astype(int) - want.astype(int)).mean())
            if got.shape != want.shape or off > 0.5:
                yield f"{name}: {off:.3f} of 255 off in the mean"


def _alphapose(case: Case) -> Iterator[str]:
    params = case.params
    given = (params["center"], params["scale"], tuple(params["output_size"]), params["rotation"])
    yield from differences("warp, exact", crop_matrix(*given), case.output("warp"), **_MATRIX)
    warp = crop_matrix(*given, reference="alphapose")
    inverse = inverse_matrix(warp)
    points = case.input("points")
    yield from differences("warp", warp, case.output("warp"), **_MATRIX)
    yield from differences("warp_inverse", inverse, case.output("warp_inverse"), **_MATRIX)
    yield from differences("points_forward", transformed(points, warp), case.output("points_forward"), _KEYPOINTS)
    yield from differences("points_back", transformed(points, inverse), case.output("points_back"), _KEYPOINTS)


def _within(points: Array) -> float:
    """float32 points far outside the image are not exacter than the step between two float32 of that size."""
    if points.dtype != np.float32:
        return _KEYPOINTS
    return max(_KEYPOINTS, float(np.spacing(np.abs(points).max())))


CHECKS = {
    "bbox_xyxy2cs": _boxes,
    "shared inputs": arrays_are_there,
    "top-down affine": _top_down,
    "AlphaPose get_affine_transform": _alphapose,
}
