"""RoIAlign."""

from __future__ import annotations

from collections.abc import Iterator

from graphflow.calculators.tensor.roi_align import roi_align

from .cases import Case, differences
from .runner import arrays_are_there

_CLOSE = 1e-5


def _pooled(case: Case) -> Iterator[str]:
    params = case.params
    holder = case if "features" in case.inputs else case.other("features")
    features, indices = holder.input("features"), holder.input("batch_indices")
    if "rois" in holder.inputs:
        rois = holder.input("rois")
    else:
        rois = holder.input("rois_in_feature_pixels") / params["spatial_scale"]
    # version 10 of the operator knew one coordinate mode only
    coordinates = params.get("coordinate_transformation_mode", "output_half_pixel")
    size = (params["output_height"], params["output_width"])
    rest = (coordinates, params["sampling_ratio"], params["spatial_scale"])
    if "raises" in case.outputs:
        roi_align(features, rois, size, indices, params["mode"], *rest)
        return
    for name in case.outputs:
        if name == "equals_output_half_pixel":
            continue
        mode = name if name in ("avg", "max") else params["mode"]
        got = roi_align(features, rois, size, indices, mode, *rest)
        want = case.output(name)
        yield from differences(name, got if name == "output" else got.item(), want, _CLOSE)


CHECKS = {"shared inputs": arrays_are_there, "RoiAlign": _pooled}
