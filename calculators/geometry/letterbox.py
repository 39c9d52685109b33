"""Takes results found in a letterboxed image back to the image inside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from graphflow import Calculator, Context, Input, Output
from graphflow.context import Binding

from ..payloads import Detection, LetterboxPadding, NormalizedLandmarkList
from .kernels import remove_letterbox, remove_letterbox_of_box


class DetectionLetterboxRemoval(Calculator):
    """Moves detections from letterboxed to plain image coordinates; boxes in pixels stay as they are."""

    fusible = True

    detections = Input("DETECTIONS", list[Detection], "normalized by the letterboxed image")
    padding = Input("LETTERBOX_PADDING", LetterboxPadding, "left, top, right, bottom, as ImageToTensor gives it")
    adjusted = Output("DETECTIONS", list[Detection], "normalized by the image")

    def process(self, context: Context) -> None:
        detections, padding = context[self.detections], context[self.padding]
        if detections is None:
            return
        if padding is None:
            raise ValueError("DETECTIONS without LETTERBOX_PADDING at the same timestamp")
        context[self.adjusted] = [_without_letterbox(detection, padding) for detection in detections]


def _without_letterbox(detection: Detection, padding: LetterboxPadding) -> Detection:
    box = detection.box
    if box is not None and detection.box_format == "relative":
        box = remove_letterbox_of_box(box, padding)
    return replace(detection, box=box, keypoints=remove_letterbox(detection.keypoints, padding))


class LandmarkLetterboxRemoval(Calculator):
    """Moves landmarks from letterboxed to plain image coordinates; z is scaled as x is."""

    fusible = True

    landmarks = Input("LANDMARKS", NormalizedLandmarkList, "normalized by the letterboxed image", repeated=True)
    padding = Input("LETTERBOX_PADDING", LetterboxPadding, "left, top, right, bottom, as ImageToTensor gives it")
    adjusted = Output("LANDMARKS", NormalizedLandmarkList, "normalized by the image, one for each input", repeated=True)

    def check(self, binding: Binding) -> Iterable[str]:
        given, taken = len(binding.slots.get(self.landmarks, ())), len(binding.slots.get(self.adjusted, ()))
        if given != taken:
            yield f"as many LANDMARKS outputs as inputs are needed: {given} inputs, {taken} outputs"

    def process(self, context: Context) -> None:
        padding = context[self.padding]
        if padding is None:
            return
        for index, landmarks in enumerate(context[self.landmarks]):
            if landmarks is not None:
                moved = replace(landmarks, xyz=remove_letterbox(landmarks.xyz, padding))
                context.emit(self.adjusted, moved, index=index)
