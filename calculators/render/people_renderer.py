"""PeopleRenderer: several people over the image they were found in, each in a colour of their own."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Image, NormalizedLandmarkList
from .drawing import Canvas, draw_face, draw_hand, draw_pose, line_scale, shown_in_detail
from .topology import Color

# light colours that differ in hue as far as neighbours can, for numbers that follow one another
_COLORS: Final[tuple[Color, ...]] = (
    (255, 214, 10), (90, 200, 250), (255, 105, 97), (119, 221, 119), (203, 153, 255), (255, 159, 64), (64, 224, 208),
    (255, 130, 200), (190, 230, 70), (130, 160, 255),
)  # fmt: skip


class PeopleRenderer(Calculator):
    """Draws bodies, hands and faces over a copy of the image, each number in a colour and at the head.

    An image without people passes as it is.
    """

    image = Input("IMAGE", Image, "uint8 [H, W, 3] RGB")
    poses = Input("POSE_LANDMARKS", dict, "33 body landmarks, or COCO's 17, by number")
    hands = Input("HAND_LANDMARKS", dict, "21 hand landmarks by number", optional=True, repeated=True)
    faces = Input("FACE_LANDMARKS", dict, "468 face landmarks or more by number", optional=True)
    annotated = Output("IMAGE", Image, "uint8 [H, W, 3] RGB")
    threshold: float = Option(0.5, "landmarks whose visibility or presence is less are not drawn")

    def process(self, context: Context) -> None:
        image = context[self.image]
        if image is None:
            return
        poses: dict[int, NormalizedLandmarkList] = context[self.poses] or {}
        if not poses:
            context.emit_packet(self.annotated, context.packet(self.image))
            return
        canvas = image.copy()
        faces: dict[int, Any] = context[self.faces] or {}
        all_hands: list[dict[int, Any]] = [hands for hands in context[self.hands] if hands]
        for number, pose in poses.items():
            color = _COLORS[(number - 1) % len(_COLORS)]
            own_hands = [hands[number] for hands in all_hands if number in hands]
            own_faces = [faces[number]] if number in faces else []
            for face in own_faces:
                draw_face(canvas, face, self.threshold)
            draw_pose(canvas, pose, self.threshold, shown_in_detail(pose, own_hands, own_faces), color)
            for hand in own_hands:
                draw_hand(canvas, hand, self.threshold)
        for number, pose in poses.items():
            _draw_number(canvas, pose, number, _COLORS[(number - 1) % len(_COLORS)])
        context[self.annotated] = canvas


def _draw_number(canvas: Canvas, pose: NormalizedLandmarkList, number: int, color: Color) -> None:
    """A person's number over the head, dark on the person's colour, kept inside the image."""
    height, width = canvas.shape[:2]
    points = pose.xyz[:, :2]
    top = points[np.argmin(points[:, 1])]
    scale = line_scale(canvas)
    text, font, size, thickness = str(number), cv2.FONT_HERSHEY_SIMPLEX, 0.6 * scale, max(round(1.5 * scale), 1)
    (text_width, text_height), _ = cv2.getTextSize(text, font, size, thickness)
    pad = round(4 * scale)
    left = int(np.clip(top[0] * width - text_width / 2, pad, max(width - text_width - pad, pad)))
    bottom = int(np.clip(top[1] * height - 6 * pad, text_height + pad, max(height - pad, text_height + pad)))
    box = (left - pad, bottom - text_height - pad), (left + text_width + pad, bottom + pad)
    cv2.rectangle(canvas, *box, color, cv2.FILLED)
    cv2.putText(canvas, text, (left, bottom), font, size, (20, 20, 20), thickness, cv2.LINE_AA)
