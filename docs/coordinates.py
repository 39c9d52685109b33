"""Draws `coordinates.png`, the picture of `coordinates.md`: python docs/coordinates.py

The photograph is `skimage.data.astronaut()`, of NASA, in the public domain; graphflow's renderer draws over it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.render.drawing import draw_face, draw_hand, draw_pose, shown_in_detail

import graphflow

PICTURE: Final = Path(__file__).with_suffix(".png")

SIDE: Final = 420
MARGIN: Final = 48
METRES: Final = 2.0
"""How much of the world a panel shows, from side to side."""

ORIGIN: Final = (0.5, 0.48)
"""Where in a panel the middle of the hips is."""

INK: Final = (40, 40, 40)
FAINT: Final = (205, 205, 205)
PAPER: Final = 245

Canvas = npt.NDArray[np.uint8]


def find(image: Canvas) -> dict[str, Any]:
    """What the holistic graph says of an image, by stream."""
    graph = graphflow.load("holistic", params={"smooth_landmarks": False}, prune=True)
    found: dict[str, Any] = {}
    for entry in graph.checked.spec.outputs:
        if entry.name.endswith("landmarks"):
            graph.observe(entry.name, lambda packet, name=entry.name: found.update({name: packet.value}))
    graph.start()
    graph.add_packet("image", image, 0)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def image_panel(photograph: Canvas, found: dict[str, Any]) -> Canvas:
    """Normalized coordinates over the photograph."""
    grey = cv2.cvtColor(cv2.resize(photograph, (SIDE, SIDE)), cv2.COLOR_RGB2GRAY)
    faded = (176 + (grey >> 2) // 4 * 4).astype(np.uint8)  # few levels: the file stays small
    panel = cv2.cvtColor(faded, cv2.COLOR_GRAY2RGB)
    hands = [found[name] for name in ("left_hand_landmarks", "right_hand_landmarks") if name in found]
    faces = [found["face_landmarks"]] if "face_landmarks" in found else []
    body = found["pose_landmarks"]
    for face in faces:
        draw_face(panel, face)
    draw_pose(panel, body, without=shown_in_detail(body, hands, faces))
    for hand in hands:
        draw_hand(panel, hand)
    framed = paper()
    framed[MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE] = panel
    for index, name in ((11, "left shoulder"), (12, "right shoulder")):
        x, y = body.xyz[index, :2]
        at = (MARGIN + int(x * SIDE), MARGIN + int(y * SIDE))
        write(framed, f"{name}, {index}", (at[0] - 50, at[1] + 24))
        write(framed, f"x {x:.2f}, y {y:.2f}", (at[0] - 50, at[1] + 44))
    arrow(framed, (MARGIN, MARGIN - 12), (MARGIN + SIDE, MARGIN - 12))
    arrow(framed, (MARGIN - 12, MARGIN), (MARGIN - 12, MARGIN + SIDE))
    write(framed, "0", (MARGIN - 30, MARGIN - 16))
    write(framed, "x = 1", (MARGIN + SIDE - 30, MARGIN - 20))
    write(framed, "y = 1", (8, MARGIN + SIDE + 18))
    write(framed, "normalized: shares of the image's width and height", (MARGIN, MARGIN + SIDE + 36))
    return framed


def world_panel(found: dict[str, Any], axis: int, names: tuple[str, str], title: str) -> Canvas:
    """World landmarks with one of x (0) and z (2) to the right, and y down."""
    panel = np.full((SIDE, SIDE, 3), 255, np.uint8)
    for tick in np.arange(-1, 1.01, 0.5):
        column, row = (int((origin + tick / METRES) * SIDE) for origin in ORIGIN)
        cv2.line(panel, (column, 0), (column, SIDE), FAINT, 1)
        cv2.line(panel, (0, row), (SIDE, row), FAINT, 1)
    middle = (int(ORIGIN[0] * SIDE), int(ORIGIN[1] * SIDE))
    world = found["pose_world_landmarks"]
    placed = np.zeros_like(world.xyz)
    placed[:, 0] = ORIGIN[0] + world.xyz[:, axis] / METRES
    placed[:, 1] = ORIGIN[1] + world.xyz[:, 1] / METRES
    grey = np.full_like(panel, 150)
    draw_pose(grey, NormalizedLandmarkList(placed))
    drawn = (grey != 150).any(axis=2)
    panel[drawn] = np.minimum(grey[drawn], 190)  # bones are nearly white
    half = int(SIDE / METRES / 2)
    arrow(panel, middle, (middle[0] + half, middle[1]))
    arrow(panel, middle, (middle[0], middle[1] + half))
    cv2.circle(panel, middle, 4, INK, -1, cv2.LINE_AA)
    write(panel, names[0], (middle[0] + half + 6, middle[1] + 18))
    write(panel, "y", (middle[0] + 10, middle[1] + half + 10))
    write(panel, names[1], (12, 24))
    framed = paper()
    framed[MARGIN : MARGIN + SIDE, MARGIN : MARGIN + SIDE] = panel
    write(framed, title, (MARGIN, MARGIN + SIDE + 36))
    return framed


def paper() -> Canvas:
    return np.full((SIDE + 2 * MARGIN, SIDE + 2 * MARGIN, 3), PAPER, np.uint8)


def arrow(canvas: Canvas, start: tuple[int, int], end: tuple[int, int]) -> None:
    tip = 12 / np.hypot(end[0] - start[0], end[1] - start[1])
    cv2.arrowedLine(canvas, start, end, INK, 2, cv2.LINE_AA, tipLength=tip)


def write(canvas: Canvas, text: str, at: tuple[int, int]) -> None:
    cv2.putText(canvas, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.55, INK, 1, cv2.LINE_AA)


def draw() -> Canvas:
    """The whole picture, RGB."""
    photograph = skimage.data.astronaut()
    found = find(photograph)
    return np.concatenate(
        [
            image_panel(photograph, found),
            world_panel(found, 0, ("x", "from the front"), "world: metres, a line every 0.5 m"),
            world_panel(found, 2, ("z", "from the side, the camera at the left"), "0 is the middle of the hips"),
        ],
        axis=1,
    )


if __name__ == "__main__":
    cv2.imwrite(str(PICTURE), cv2.cvtColor(draw(), cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
