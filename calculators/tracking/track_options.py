"""How a box is followed: the options of one step."""

from __future__ import annotations

from typing import Literal

from graphflow import OptionGroup

Degrees = Literal[
    "TRACKING_DEGREE_TRANSLATION",
    "TRACKING_DEGREE_CAMERA_SCALE",
    "TRACKING_DEGREE_CAMERA_ROTATION",
    "TRACKING_DEGREE_CAMERA_ROTATION_SCALE",
    "TRACKING_DEGREE_OBJECT_SCALE",
    "TRACKING_DEGREE_OBJECT_ROTATION",
    "TRACKING_DEGREE_OBJECT_ROTATION_SCALE",
    "TRACKING_DEGREE_OBJECT_PERSPECTIVE",
]


class OcclusionOptions(OptionGroup):
    """When a box that is hidden is given up."""

    activated: bool = False
    min_motion_continuity: float = 0.4
    """The least part of the points on the object that must go on from frame to frame."""
    min_inlier_ratio: float = 0.1
    """The least number of points on the object, as a part of the most that there were in the last frames."""


class TrackStepOptions(OptionGroup):
    """How a box follows the points in it. Lengths are parts of the frame's longer side."""

    tracking_degrees: Degrees = "TRACKING_DEGREE_TRANSLATION"
    """What may change besides the position, by the camera's or the object's motion."""
    track_object_and_camera: bool = False
    """Whether the camera's motion changes as much as the object's, not the position only."""
    irls_iterations: int = 5
    """Rounds of estimating a motion and weighing the points by it."""
    spatial_sigma: float = 0.15
    """How far from the middle points count, as a part of the box."""
    min_motion_sigma: float = 0.002
    """How far a point's speed may be from that of the box; or:"""
    relative_motion_sigma: float = 0.3
    """The same as a part of the speed of the box."""
    motion_disparity_low_level: float = 8e-3
    """A change of speed that is still believed."""
    motion_disparity_high_level: float = 1.6e-2
    """A change of speed that is not believed at all."""
    disparity_decay: float = 0.8
    """What is left of the disbelief after a frame."""
    background_discrimination_low_level: float = 4e-3
    """A speed at which the object cannot be told from the background."""
    background_discrimination_high_level: float = 8e-3
    """A speed at which the object can be told from the background."""
    inlier_center_relative_distance: float = 0.1
    """How far the middle of the points may be from that of the box, as a part of the box, before it is pulled."""
    inlier_spring_force: float = 0.3
    """How much of the rest of that distance the box is pulled."""
    velocity_update_weight: float = 0.7
    """The part of the old velocity that is kept."""
    max_track_failures: int = 10
    """How many frames a box may fail before it is given up."""
    expansion_size: float = 0.05
    """How far around the box points count."""
    inlier_low_weight: float = 250.0
    """1 / error of a point that is not on the object."""
    inlier_high_weight: float = 500.0
    """1 / error of a point that is on the object."""
    kinetic_energy_decay: float = 0.98
    """What is left of the energy of motion after a frame."""
    prior_weight_increase: float = 0.2
    """How fast the past gets its say."""
    low_kinetic_energy: float = 1e-3
    """A speed at which an object rests."""
    high_kinetic_energy: float = 4e-3
    """A speed at which an object moves."""
    static_motion_temporal_ratio: float = 3e-3
    """A speed up to which the object moves with the background where no points are in the box."""
    cancel_tracking_with_occlusion_options: OcclusionOptions = OcclusionOptions()
    object_similarity_min_contd_inliers: int = 30
    """How many points must go on from the frame before for more than a translation."""
    box_similarity_max_scale: float = 1.05
    """The largest change of size in a step."""
    box_similarity_max_rotation: float = 0.2
    """The largest rotation in a step, radians."""
    quad_homography_max_scale: float = 1.2
    """The largest change of a quad's size in a step."""
    quad_homography_max_rotation: float = 0.3
    """The largest rotation of a quad in a step, radians."""


class BoxTrackerOptions(OptionGroup):
    """How boxes are followed."""

    track_step_options: TrackStepOptions = TrackStepOptions()
