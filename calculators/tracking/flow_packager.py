"""FlowPackager: sparse flow on a small grid, without the camera's motion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output
from graphflow.context import Binding

from ..payloads import ImageSize
from . import motion_models as models
from .region_flow import CameraMotion, MotionType, RegionFlow, TrackingData

_LARGEST_BINARY_DOMAIN = 256


class FlowPackagerOptions(OptionGroup):
    """The grid that positions are rounded to."""

    domain_width: int = 256
    domain_height: int = 192
    binary_tracking_data_support: bool = True
    """Whether the data could be written to MediaPipe's files, for which the grid has at most 256 cells on a side."""


class FlowPackager(Calculator):
    """Packs a frame's flow for trackers: positions on a grid, motion without the background's.

    MediaPipe's chunks of data, on TRACKING_CHUNK and in files, do not exist here. Source: MediaPipe
    FlowPackagerCalculator.
    """

    timestamp_offset = None

    flow = Input("FLOW", RegionFlow, "points with their motion")
    camera = Input("CAMERA", CameraMotion, "the background's motion; without it, it counts as unknown", optional=True)
    tracking = Output("TRACKING", TrackingData, "the same packed", optional=True)

    flow_packager_options: FlowPackagerOptions = Option(FlowPackagerOptions(), "the grid")

    def check(self, binding: Binding) -> Iterable[str]:
        options = self.flow_packager_options
        for name in ("domain_width", "domain_height"):
            size = getattr(options, name)
            if size < 1 or (options.binary_tracking_data_support and size > _LARGEST_BINARY_DOMAIN):
                yield (
                    f"option 'flow_packager_options.{name}' must be in 1..{_LARGEST_BINARY_DOMAIN}, not {size}; more "
                    "goes with binary_tracking_data_support false"
                )

    def process(self, context: Context) -> None:
        flow = context[self.flow]
        if flow is not None:
            options = self.flow_packager_options
            context[self.tracking] = pack(flow, context[self.camera], (options.domain_width, options.domain_height))


def pack(flow: RegionFlow, camera: CameraMotion | None, domain_size: ImageSize) -> TrackingData:
    """A frame's flow on a grid, without the camera's motion where that is known.

    Source: MediaPipe FlowPackager::PackFlow.
    """
    scale = np.array(domain_size, np.float32) / np.array(flow.frame_size, np.float32)
    stable = camera is not None and camera.type <= MotionType.UNSTABLE_SIM
    background = models.identity()
    if camera is not None and stable:
        background = models.compose(models.scaling(*scale), camera.homography, models.scaling(*(1 / scale)))
    cells = (flow.positions * scale + np.float32(0.5)).astype(np.int32)
    cells = np.clip(cells, 0, np.array(domain_size, np.int32) - 1).astype(np.int32)
    order = np.lexsort((cells[:, 1], cells[:, 0]))
    cells = cells[order]
    return TrackingData(
        domain_size,
        flow.frame_size[0] / flow.frame_size[1],
        background,
        stable,
        flow.is_duplicated,
        cells,
        (flow.flows[order] * scale - models.motion(background, cells)).astype(np.float32),
        flow.track_ids[order],
        flow.discarded_track_ids,
        camera.average_magnitude if camera is not None else 0.0,
    )
