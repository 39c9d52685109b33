"""Decides whether to go on with the region of the last frame or to begin with a new one."""

from __future__ import annotations

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output

from ..payloads import ImageSize, NormalizedLandmarkList, NormalizedRect
from .rect_kernels import centers_overlap, points_inside, rects_close


class IouRequirements(OptionGroup):
    """How much the two regions must overlap."""

    min_iou: float = 0.5


class RectRequirements(OptionGroup):
    """How far the region may have turned (degrees), moved and grown (fractions of the new region's sides)."""

    rotation_degrees: float = 10.0
    translation: float = 0.1
    scale: float = 0.1


class LandmarksRequirements(OptionGroup):
    """By what fraction of its sides the new region grows before the last landmarks must lie in it."""

    recrop_rect_margin: float = 0.0


class RoiTracking(Calculator):
    """Gives the region around the last frame's landmarks while it agrees with the one found anew, else that one.

    Without a new region there is no object and nothing is given.
    """

    fusible = True

    landmarks = Input("PREV_LANDMARKS", NormalizedLandmarkList, "of the last frame")
    previous = Input("PREV_LANDMARKS_RECT", NormalizedRect, "the region made of them")
    recrop = Input("RECROP_RECT", NormalizedRect, "the region found anew in this frame")
    image_size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    tracked = Output("TRACKING_RECT", NormalizedRect, "the region to look at in this frame")
    iou_requirements: IouRequirements | None = Option(None, "how much the regions must overlap")
    rect_requirements: RectRequirements | None = Option(None, "how little the region may have changed")
    landmarks_requirements: LandmarksRequirements | None = Option(None, "where the last landmarks must lie")

    def process(self, context: Context) -> None:
        previous, recrop = context[self.previous], context[self.recrop]
        if recrop is None:
            return
        keep = previous is not None and self._keeps_tracking(context, previous, recrop)
        context.emit_packet(self.tracked, context.packet(self.previous if keep else self.recrop))

    def _keeps_tracking(self, context: Context, previous: NormalizedRect, recrop: NormalizedRect) -> bool:
        landmarks, size = context[self.landmarks], context[self.image_size]
        if landmarks is None or size is None:
            missing = "PREV_LANDMARKS" if landmarks is None else "IMAGE_SIZE"
            raise ValueError(f"PREV_LANDMARKS_RECT and RECROP_RECT without {missing} at the same timestamp")
        iou, change, inside = self.iou_requirements, self.rect_requirements, self.landmarks_requirements
        return (
            (iou is None or centers_overlap(previous, recrop, size, iou.min_iou))
            and (
                change is None
                or rects_close(previous, recrop, size, change.rotation_degrees, change.translation, change.scale)
            )
            and (inside is None or points_inside(landmarks.xyz, recrop, size, inside.recrop_rect_margin))
        )
