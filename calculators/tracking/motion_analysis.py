"""MotionAnalysis: sparse flow of a video, and how its camera moves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output, SideInput
from graphflow.context import Binding

from ..lazy import cv2
from ..payloads import Image
from .block_flow import BlockSettings
from .corner_extraction import CornerFinder, FastSettings, MinEigValSettings
from .flow_tracker import FlowTracker, Verification
from .motion_estimation import MotionEstimator
from .region_flow import CameraMotion, RegionFlow

_POLICY: Final = "ANALYSIS_POLICY_CAMERA_MOBILE"
_MIN_DISTANCE: Final = 7.0


class TrackingOptions(OptionGroup):
    """How points are found and followed. What MediaPipe has beyond that is as its policy for cameras sets it."""

    max_features: int = 240
    """The most points in a frame."""
    corner_extraction_method: Literal["EXTRACTION_MIN_EIG_VAL", "EXTRACTION_FAST"] = "EXTRACTION_MIN_EIG_VAL"
    adaptive_extraction_levels: int = 1
    """Number of scales that points are looked for on."""
    min_eig_val_settings: MinEigValSettings = MinEigValSettings()
    fast_settings: FastSettings = FastSettings()
    klt_tracker_implementation: Literal["KLT_OPENCV"] = "KLT_OPENCV"


class FlowOptions(OptionGroup):
    """How flow is computed. What MediaPipe has beyond that is as its policy for cameras sets it."""

    tracking_options: TrackingOptions = TrackingOptions()
    fast_estimation_min_block_size: int = 100
    """Pixels; points are compared with the neighbours in blocks down to about this size."""
    top_inlier_sets: int = 1
    """How many motions a block may have."""
    frac_inlier_error_threshold: float = 0.0
    """How far motions in a block may differ, as a part of the frame's diagonal; 2 pixels at least."""
    downsample_mode: Literal["DOWNSAMPLE_NONE", "DOWNSAMPLE_TO_INPUT_SIZE"] = "DOWNSAMPLE_NONE"
    """TO_INPUT_SIZE: frames come smaller by the factor below than the frame that results are measured in."""
    downsample_factor: float = 2.0
    verification_distance: float = 0.5
    """Pixels by which a point followed back may miss where it came from."""
    verify_long_feature_acceleration: bool = False
    """Whether points whose speed jumps are followed back; otherwise they get new numbers."""
    verify_long_feature_trigger_ratio: float = 0.0
    """The part of all points whose speed must jump before they are followed back."""


class MotionOptions(OptionGroup):
    """How the camera's motion is estimated. What MediaPipe has beyond that is as its policy for cameras sets it."""

    label_empty_frames_as_valid: bool = True
    """Whether a frame without points counts as one where the camera stood still."""


class AnalysisOptions(OptionGroup):
    """What is analysed, and how."""

    analysis_policy: Literal[
        "ANALYSIS_POLICY_LEGACY",
        "ANALYSIS_POLICY_VIDEO",
        "ANALYSIS_POLICY_VIDEO_MOBILE",
        "ANALYSIS_POLICY_CAMERA_MOBILE",
        "ANALYSIS_POLICY_HYPERLAPSE",
    ] = "ANALYSIS_POLICY_LEGACY"
    """CAMERA_MOBILE: each frame at once, for live video; no other one is there."""
    flow_options: FlowOptions = FlowOptions()
    motion_options: MotionOptions = MotionOptions()


class MotionAnalysis(Calculator):
    """Follows points through a video, and tells the camera's motion from theirs.

    Each frame gives the points that could be followed into it, and the motion from it back to the frame before. Only
    MediaPipe's policy for cameras exists, with the options that its graphs set; any other option is an error. Source:
    MediaPipe MotionAnalysisCalculator.
    """

    timestamp_offset = None

    video = Input("VIDEO", Image, "RGB, RGBA or grey; all of one size")
    downsample = SideInput("DOWNSAMPLE", float, "in place of the option downsample_factor", optional=True)
    flow = Output("FLOW", RegionFlow, "points with their motion to the frame before", optional=True)
    camera = Output("CAMERA", CameraMotion, "the camera's motion to the frame before", optional=True)

    analysis_options: AnalysisOptions = Option(AnalysisOptions(), "what is analysed, and how")

    def check(self, binding: Binding) -> Iterable[str]:
        options = self.analysis_options
        if options.analysis_policy != _POLICY:
            yield (
                f"option 'analysis_options.analysis_policy' must be {_POLICY}, not {options.analysis_policy}, which is "
                "also what MediaPipe takes where it is not set"
                if options.analysis_policy == "ANALYSIS_POLICY_LEGACY"
                else f"option 'analysis_options.analysis_policy' must be {_POLICY}, not {options.analysis_policy}"
            )
        if options.flow_options.downsample_factor < 1:
            yield (
                "option 'analysis_options.flow_options.downsample_factor' must be at least 1, not "
                f"{options.flow_options.downsample_factor}"
            )

    def open(self, context: Context) -> None:
        given = context[self.downsample]
        flow_options = self.analysis_options.flow_options
        self._factor = 1.0
        if flow_options.downsample_mode == "DOWNSAMPLE_TO_INPUT_SIZE":
            self._factor = flow_options.downsample_factor if given is None else float(given)
        self._tracker: FlowTracker | None = None
        self._estimator: MotionEstimator | None = None

    def process(self, context: Context) -> None:
        image = context[self.video]
        if image is None:
            return
        grey = _grey(image)
        if self._tracker is None or self._estimator is None:
            self._tracker = self._new_tracker(grey)
            options = self.analysis_options.motion_options
            self._estimator = MotionEstimator(self._tracker.frame_size, options.label_empty_frames_as_valid)
        flow, camera = self._estimator.estimate(self._tracker.add(grey))
        context[self.flow] = flow
        context[self.camera] = camera

    def _new_tracker(self, grey: npt.NDArray[np.uint8]) -> FlowTracker:
        options = self.analysis_options.flow_options
        tracking = options.tracking_options
        corners = CornerFinder(
            tracking.corner_extraction_method,
            tracking.min_eig_val_settings,
            tracking.fast_settings,
            tracking.adaptive_extraction_levels,
            tracking.max_features,
            round(_MIN_DISTANCE / np.sqrt(self._factor)),
        )
        return FlowTracker(
            (grey.shape[1], grey.shape[0]),
            self._factor,
            corners,
            BlockSettings(
                options.fast_estimation_min_block_size, options.top_inlier_sets, options.frac_inlier_error_threshold
            ),
            Verification(
                options.verify_long_feature_acceleration,
                options.verify_long_feature_trigger_ratio,
                options.verification_distance,
            ),
        )


def _grey(image: Image) -> npt.NDArray[np.uint8]:
    """A grey image of uint8.

    Raises:
        ValueError: the image is of another kind.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3, 4)):
        raise ValueError(f"VIDEO takes images of uint8, RGB, RGBA or grey, not {image.dtype} {list(image.shape)}")
    if image.ndim == 2 or image.shape[2] == 1:
        return image.reshape(image.shape[:2])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY if image.shape[2] == 3 else cv2.COLOR_RGBA2GRAY)
    return np.asarray(grey, np.uint8)
