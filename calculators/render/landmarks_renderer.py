"""LandmarksRenderer: landmarks and detections drawn over the image they were found in."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection, Image, NormalizedLandmarkList
from .background import set_back
from .drawing import draw_detection, draw_face, draw_hand, draw_pose, shown_in_detail

_OneOrMore: Final[Any] = NormalizedLandmarkList | list[NormalizedLandmarkList]

_BACKGROUND_DIM: Final = 0.55
"""How far what a mask leaves out is dimmed: landmarks stay in front, and the mask's edge is seen."""


class LandmarksRenderer(Calculator):
    """Draws body, hand and face landmarks over a copy of the image, detections and faces first and hands on top.

    The body's own few points of a face or hand are left out where that is drawn in detail.

    An image where nothing was found passes as it is.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    poses = Input("POSE_LANDMARKS", _OneOrMore, "33 body landmarks each, or COCO's 17", optional=True, repeated=True)
    hands = Input("HAND_LANDMARKS", _OneOrMore, "21 hand landmarks each", optional=True, repeated=True)
    faces = Input("FACE_LANDMARKS", _OneOrMore, "468 face landmarks or more each", optional=True, repeated=True)
    detections = Input("DETECTIONS", Detection | list[Detection], "boxes, keypoints", optional=True, repeated=True)
    mask = Input("SEGMENTATION_MASK", Image, "float32 [H, W] in 0..1: dims all but people", optional=True)
    annotated = Output("IMAGE", Image, "uint8 [H, W, 3] RGB")
    threshold: float = Option(0.5, "landmarks whose visibility or presence is less are not drawn")

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"landmarks are drawn on uint8 [H, W, 3] RGB, not {image.dtype} {list(image.shape)}")
        poses, hands, faces, detections = (
            _flat(context[port]) for port in (self.poses, self.hands, self.faces, self.detections)
        )
        mask = context[self.mask]
        if mask is None and not (poses or hands or faces or detections):
            context.emit_packet(self.annotated, context.packet(self.image))
            return
        canvas = image.copy() if mask is None else set_back(image, mask, blur=0.0, dim=_BACKGROUND_DIM)
        for detection in detections:
            draw_detection(canvas, detection)
        for face in faces:
            draw_face(canvas, face, self.threshold)
        for pose in poses:
            draw_pose(canvas, pose, self.threshold, without=shown_in_detail(pose, hands, faces))
        for hand in hands:
            draw_hand(canvas, hand, self.threshold)
        context[self.annotated] = canvas


def _flat(values: list[Any]) -> list[Any]:
    """What came, of single values and lists of them."""
    return [item for value in values if value is not None for item in (value if isinstance(value, list) else [value])]
