"""Takes results found in a region of interest back to the image, and turns matrices round."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.context import Binding

from ..payloads import Detection, FloatArray, ImageSize, LandmarkList, Matrix4, NormalizedLandmarkList, NormalizedRect
from .kernels import project_box_by_matrix, project_by_matrix, project_from_rect, rect_matrix, rotate


class DetectionProjection(Calculator):
    """Moves detections by a matrix, as from a region of interest to the image; boxes stay upright and grow."""

    fusible = True

    detections = Input("DETECTIONS", list[Detection], repeated=True)
    matrix = Input("PROJECTION_MATRIX", Matrix4, "from where the detections are to where they shall be")
    projected = Output("DETECTIONS", list[Detection], "one for each input", repeated=True)

    def check(self, binding: Binding) -> Iterable[str]:
        given, taken = len(binding.slots.get(self.detections, ())), len(binding.slots.get(self.projected, ()))
        if given != taken:
            yield f"as many DETECTIONS outputs as inputs are needed: {given} inputs, {taken} outputs"

    def process(self, context: Context) -> None:
        matrix = context[self.matrix]
        if matrix is None:
            return
        for index, detections in enumerate(context[self.detections]):
            if detections is not None:
                context.emit(self.projected, [_projected(each, matrix) for each in detections], index=index)


def _projected(detection: Detection, matrix: Matrix4) -> Detection:
    if detection.box is None or detection.box_format != "relative":
        found = "no box" if detection.box is None else f"one in {detection.box_format} coordinates"
        raise ValueError(f"only detections with a normalized box can be projected; this one has {found}")
    box, keypoints = project_box_by_matrix(detection.box, matrix), project_by_matrix(detection.keypoints, matrix)
    return replace(detection, box=box, keypoints=keypoints)


class LandmarkProjection(Calculator):
    """Moves landmarks from a region of interest to the image, by the region's rectangle or by a matrix.

    With NORM_RECT alone the rectangle must be square in pixels; IMAGE_DIMENSIONS lifts that. z is scaled as x is.
    """

    fusible = True

    landmarks = Input("NORM_LANDMARKS", NormalizedLandmarkList, "normalized by the region", repeated=True)
    rect = Input("NORM_RECT", NormalizedRect, "the region", optional=True)
    dimensions = Input("IMAGE_DIMENSIONS", ImageSize, "width, height in pixels; with NORM_RECT only", optional=True)
    matrix = Input("PROJECTION_MATRIX", Matrix4, "from region to image, in place of NORM_RECT", optional=True)
    projected = Output("NORM_LANDMARKS", NormalizedLandmarkList, "one for each input", repeated=True)
    ignore_rotation: bool = Option(False, "take the rectangle as upright")

    def check(self, binding: Binding) -> Iterable[str]:
        given, taken = len(binding.slots.get(self.landmarks, ())), len(binding.slots.get(self.projected, ()))
        if given != taken:
            yield f"as many NORM_LANDMARKS outputs as inputs are needed: {given} inputs, {taken} outputs"
        if (self.rect in binding.slots) == (self.matrix in binding.slots):
            yield "exactly one of NORM_RECT and PROJECTION_MATRIX must be connected"
        if self.dimensions in binding.slots and self.rect not in binding.slots:
            yield "IMAGE_DIMENSIONS needs NORM_RECT"

    def process(self, context: Context) -> None:
        rect, matrix = context[self.rect], context[self.matrix]
        rotation = 0.0 if self.ignore_rotation else None
        if context.is_connected(self.dimensions):
            dimensions = context[self.dimensions]
            if rect is None or dimensions is None:
                return
            matrix = rect_matrix(rect, dimensions, rotation)
        if matrix is None and rect is None:
            return
        for index, landmarks in enumerate(context[self.landmarks]):
            if landmarks is None:
                continue
            moved = (
                project_from_rect(landmarks.xyz, rect, rotation)
                if matrix is None
                else project_by_matrix(landmarks.xyz, matrix)
            )
            context.emit(self.projected, replace(landmarks, xyz=moved), index=index)


class WorldLandmarkProjection(Calculator):
    """Turns world landmarks by the rotation of the region they were found in; they are neither moved nor scaled."""

    fusible = True

    landmarks = Input("LANDMARKS", LandmarkList, "metres, upright in the region")
    rect = Input("NORM_RECT", NormalizedRect, "the region; without it landmarks pass as they are", optional=True)
    projected = Output("LANDMARKS", LandmarkList, "metres, upright in the image")

    def process(self, context: Context) -> None:
        landmarks, rect = context[self.landmarks], context[self.rect]
        if landmarks is None:
            return
        if not context.is_connected(self.rect):
            context[self.projected] = landmarks
        elif rect is not None:
            context[self.projected] = replace(landmarks, xyz=rotate(landmarks.xyz, rect.rotation))


class InverseMatrix(Calculator):
    """Inverts a 4x4 matrix, such as the one from region to image."""

    fusible = True

    matrix = Input("MATRIX", Matrix4)
    inverse = Output("MATRIX", Matrix4)

    def process(self, context: Context) -> None:
        matrix: FloatArray | None = context[self.matrix]
        if matrix is None:
            return
        double = matrix.astype(np.float64)
        with np.errstate(invalid="ignore"):
            determinant = abs(np.linalg.det(double))
        if not determinant > np.finfo(np.float64).eps:  # MediaPipe's threshold
            raise ValueError(f"the matrix has no inverse: {matrix.tolist()}")
        context[self.inverse] = np.linalg.inv(double).astype(np.float32)
