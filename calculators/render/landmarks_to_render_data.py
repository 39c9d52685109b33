"""LandmarksToRenderData: landmarks as points, and lines between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import FloatArray, LandmarkList, NormalizedLandmarkList
from .render_data import Color, ColorOption, GradientLines, Lines, Points, RenderData, Shape
from .topology import (
    FACE_OVAL,
    INNER_LIPS,
    LEFT_EYE,
    LEFT_EYEBROW,
    LEFT_IRIS,
    OUTER_LIPS,
    RIGHT_EYE,
    RIGHT_EYEBROW,
    RIGHT_IRIS,
)

_Pairs = npt.NDArray[np.int64]

_FLAT_Z = 1e-3
"""Landmarks whose depths differ by no more are drawn as if they had none."""

# what MediaPipe calls the left eye here is the topology's right one: the left of the image, the right of the person
_FACE_PATHS = (
    *(*OUTER_LIPS, *INNER_LIPS, *RIGHT_EYE, *RIGHT_EYEBROW, *LEFT_IRIS),
    *(*LEFT_EYE, *LEFT_EYEBROW, *RIGHT_IRIS, *FACE_OVAL),
)


class LandmarksToRenderData(Calculator):
    """Says how landmarks look: lines where they are connected, points on top, in shades of their depth if wanted.

    With `visualize_landmark_depth` what is near is larger and lighter. Landmarks that are not visible or present enough
    are left out together with their lines. Source: MediaPipe LandmarksToRenderDataCalculator.
    """

    landmarks = Input("LANDMARKS", LandmarkList, "in pixels; this or NORM_LANDMARKS", optional=True)
    norm_landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "normalized; this or LANDMARKS", optional=True)
    render_scale = Input("RENDER_SCALE", float, "multiplies the thickness", optional=True)
    render_data = Output("RENDER_DATA", RenderData, "what to draw")

    landmark_connections: list[int] = Option([], "indices of landmarks; each two are joined by a line")
    landmark_color: ColorOption = Option(ColorOption(), "of the points")
    render_landmarks: bool = Option(True, "whether points are drawn")
    connection_color: ColorOption = Option(ColorOption(), "of the lines")
    thickness: float = Option(1.0, "of lines, and radius of points")
    visualize_landmark_depth: bool = Option(True, "let colours and sizes follow the depth, where there is any")
    utilize_visibility: bool = Option(False, "leave out landmarks that are less visible than the threshold")
    visibility_threshold: float = Option(0.0, "in 0..1")
    utilize_presence: bool = Option(False, "leave out landmarks that are less present than the threshold")
    presence_threshold: float = Option(0.0, "in 0..1")
    min_depth_circle_thickness: float = Option(0.0, "radius of the farthest point")
    max_depth_circle_thickness: float = Option(18.0, "radius of the nearest point")
    min_depth_line_color: ColorOption = Option(ColorOption(r=0, g=0, b=0), "of lines at the nearest landmark")
    max_depth_line_color: ColorOption = Option(ColorOption(r=255, g=255, b=255), "of lines at the farthest landmark")

    def check(self, binding: Binding) -> Iterable[str]:
        if (self.landmarks in binding.slots) == (self.norm_landmarks in binding.slots):
            yield "connect one of LANDMARKS and NORM_LANDMARKS"
        if len(self.landmark_connections) % 2:
            yield f"option 'landmark_connections' holds pairs, not {len(self.landmark_connections)} indices"
        if any(index < 0 for index in self.landmark_connections):
            yield "option 'landmark_connections' holds indices from 0"

    def connections(self) -> _Pairs:
        """The landmarks that are joined, [N, 2]."""
        return np.array(self.landmark_connections, np.int64).reshape(-1, 2)

    def open(self, context: Context) -> None:
        self._connections = self.connections()
        self._port = self.landmarks if context.is_connected(self.landmarks) else self.norm_landmarks

    def process(self, context: Context) -> None:
        landmarks = context[self._port]
        if landmarks is None:
            return
        scale = context[self.render_scale]
        thickness = np.float32(self.thickness) * np.float32(1.0 if scale is None else scale)
        normalized = self._port is self.norm_landmarks
        shapes = self._shapes(landmarks, float(thickness), normalized) if len(landmarks) else ()
        context[self.render_data] = RenderData(tuple(shapes))

    def _shapes(
        self, landmarks: LandmarkList | NormalizedLandmarkList, thickness: float, normalized: bool
    ) -> Iterator[Shape]:
        xy = landmarks.xyz[:, :2].astype(np.float64)
        shown = self._shown(landmarks)
        pairs = self._connections[(self._connections < len(landmarks)).all(axis=1)]
        pairs = pairs[shown[pairs].all(axis=1)]
        ends = xy[pairs].reshape(-1, 4)
        depths = _depths(landmarks.xyz[:, 2]) if self.visualize_landmark_depth else None
        if len(pairs) and depths is None:
            yield Lines(ends, self.connection_color.rgb, thickness, normalized)
        elif len(pairs) and depths is not None:
            near, far = self.min_depth_line_color.rgb, self.max_depth_line_color.rgb
            yield GradientLines(ends, _mixed(near, far, depths[pairs]), thickness, normalized)
        if self.render_landmarks and shown.any():
            yield self._points(xy[shown], None if depths is None else depths[shown], thickness, normalized)

    def _points(
        self, xy: npt.NDArray[np.float64], depths: FloatArray | None, thickness: float, normalized: bool
    ) -> Points:
        if depths is None:
            return Points(xy, self.landmark_color.rgb, thickness, normalized)
        shades = 255 - (depths * np.float32(255)).astype(np.int64)
        smallest, largest = np.float32(self.min_depth_circle_thickness), np.float32(self.max_depth_circle_thickness)
        sizes = np.trunc(smallest + (np.float32(1) - depths) * (largest - smallest)).astype(np.float64)
        return Points(xy, np.repeat(shades[:, None], 3, axis=1), sizes, normalized)

    def _shown(self, landmarks: LandmarkList | NormalizedLandmarkList) -> npt.NDArray[np.bool_]:
        shown = np.ones(len(landmarks), bool)
        if self.utilize_visibility and landmarks.visibility is not None:
            shown &= ~(landmarks.visibility < np.float32(self.visibility_threshold))
        if self.utilize_presence and landmarks.presence is not None:
            shown &= ~(landmarks.presence < np.float32(self.presence_threshold))
        return shown


class FaceLandmarksToRenderData(LandmarksToRenderData):
    """As `LandmarksToRenderData`, for the face mesh: lips, eyes, eyebrows, irises and oval are joined.

    The option `landmark_connections` is ignored. Source: MediaPipe FaceLandmarksToRenderDataCalculator.
    """

    def connections(self) -> _Pairs:
        return np.array([pair for path in _FACE_PATHS for pair in itertools.pairwise(path)], np.int64)


def _depths(z: FloatArray) -> FloatArray | None:
    """Where each z [N] lies between the nearest (0) and the farthest (1); None where all are about as far."""
    nearest = z.min()
    # MediaPipe looks for the largest from the smallest positive number on
    farthest = max(z.max(), np.finfo(np.float32).tiny)
    if not farthest - nearest > _FLAT_Z:
        return None
    depths: FloatArray = ((z - nearest).astype(np.float64) / (float(farthest - nearest) + 1e-6)).astype(np.float32)
    return depths


def _mixed(near: Color, far: Color, depths: FloatArray) -> npt.NDArray[np.int64]:
    """The colour at each depth: int [..., 3]; the first colour weighs as much as the depth, as in MediaPipe."""
    weights = depths[..., None]
    first, second = np.array(near, np.float32), np.array(far, np.float32)
    mixed: npt.NDArray[np.int64] = (first * weights + second * (np.float32(1) - weights)).astype(np.int64)
    return mixed
