"""The crop of a person that a top-down network looks at, and the exact way back (RMPE's SSTN and SDTN)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import Detection, FloatArray, Image, ImageSize, Matrix4, NormalizedRect

Doubles: TypeAlias = npt.NDArray[np.float64]
AffineMatrix: TypeAlias = npt.NDArray[np.float64]
"""float64 [2, 3]: maps (x, y, 1) columns of pixels to pixels."""


class CenterScale(NamedTuple):
    """Where people are: centres [..., 2] and sides [..., 2] (width, height), in pixels of the image."""

    center: Doubles
    scale: Doubles


def box_to_center_scale(box_xyxy: npt.ArrayLike, padding: float = 1.0) -> CenterScale:
    """Centre and sides of boxes [..., 4] (x_min, y_min, x_max, y_max), the sides times `padding`.

    >>> box_to_center_scale([10, 20, 30, 60], 1.25)
    CenterScale(center=array([20., 40.]), scale=array([25., 50.]))
    """
    box = np.asarray(box_xyxy, np.float64)
    low, high = box[..., :2], box[..., 2:]
    return CenterScale((low + high) * 0.5, (high - low) * padding)


def center_scale_to_box(center: npt.ArrayLike, scale: npt.ArrayLike, padding: float = 1.0) -> Doubles:
    """The boxes [..., 4] whose centres and padded sides these are."""
    middle, sides = np.asarray(center, np.float64), np.asarray(scale, np.float64) / padding
    return np.concatenate([middle - 0.5 * sides, middle + 0.5 * sides], axis=-1)


def fix_aspect_ratio(scale: npt.ArrayLike, aspect_ratio: float) -> Doubles:
    """Sides [..., 2] with the shorter one lengthened, so that width / height is `aspect_ratio`.

    >>> fix_aspect_ratio([30, 80], 0.75)
    array([60., 80.])
    """
    sides = np.asarray(scale, np.float64)
    width, height = sides[..., 0], sides[..., 1]
    wide = width > height * aspect_ratio
    return np.stack(
        [np.where(wide, width, height * aspect_ratio), np.where(wide, width / aspect_ratio, height)], axis=-1
    )


def crop_matrix(
    center: npt.ArrayLike,
    scale: npt.ArrayLike,
    output_size: ImageSize,
    rotation_deg: float = 0.0,
    placed: Literal["uniform", "free", "corners"] = "uniform",
    shift: tuple[float, float] = (0.0, 0.0),
    reference: Literal["exact", "mmpose", "alphapose"] = "exact",
) -> AffineMatrix:
    """The transform of image pixels into the pixels of a crop.

    Args:
        center: of the crop, [2] pixels of the image.
        scale: width and height of the crop, [2] pixels of the image.
        output_size: width, height of the crop in its own pixels.
        rotation_deg: of the crop in the image, clockwise.
        placed: "uniform", one factor for both axes, which the width alone sets, as most networks were trained; "free",
            one for each axis; "corners", one for each axis, and the middles of the corner pixels on the corners (UDP).
        shift: of the centre, in units of `scale`.
        reference: "mmpose" and "alphapose" draw the transform through three points in float32, one to the left or one
            above the centre first, which tells in the sixth digit; not for "corners".

    Raises:
        ValueError: a side is 0.

    Source: mmpose `get_warp_matrix`, `get_udp_warp_matrix` (which turns the other way); RMPE, section 3.1.
    """
    sides = np.asarray(scale, np.float64)
    out = np.array(output_size, np.float64)
    if not (sides > 0).all():
        raise ValueError(f"a crop has a positive width and height, not {sides.tolist()}")
    if placed == "corners":
        out -= 1
    factors = np.full(2, out[0] / sides[0]) if placed == "uniform" else out / sides
    angle = np.deg2rad(rotation_deg)
    turned_back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = factors[:, None] * turned_back
    middle = np.asarray(center, np.float64) + sides * np.asarray(shift)
    if reference != "exact" and placed != "corners":
        first = np.array([-0.5, 0.0]) if reference == "mmpose" else np.array([0.0, -0.5])
        return _through_points(middle, sides, out, turned_back.T, first, placed == "uniform")
    return np.column_stack([linear, out / 2 - linear @ middle])


def _through_points(
    middle: Doubles, sides: Doubles, out: Doubles, turned: Doubles, first: Doubles, uniform: bool
) -> AffineMatrix:
    source, target = np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32)
    source[0], target[0] = middle, out / 2
    source[1], target[1] = middle + turned @ first * sides[0], out / 2 + first * out[0]
    if uniform:
        for points in (source, target):
            across, down = points[0] - points[1]
            points[2] = points[1] + np.array([-down, across])
    else:
        source[2], target[2] = middle + turned @ [0.0, -sides[1] / 2], out / 2 - [0.0, out[1] / 2]
    return np.asarray(cv2.getAffineTransform(source, target), np.float64)


def inverse_matrix(matrix: AffineMatrix) -> AffineMatrix:
    """The exact inverse of an affine transform [2, 3].

    Raises:
        numpy.linalg.LinAlgError: there is none.
    """
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def transformed(points: npt.ArrayLike, matrix: AffineMatrix) -> Doubles:
    """Points [..., 2] moved by an affine transform [2, 3]."""
    moved: Doubles = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved


def points_back(
    points: npt.ArrayLike,
    center: npt.ArrayLike,
    scale: npt.ArrayLike,
    input_size: ImageSize,
    rotation_deg: float = 0.0,
    placed: Literal["uniform", "free", "corners"] = "uniform",
    reference: Literal["exact", "mmpose"] = "exact",
) -> Doubles:
    """Points of a crop, [..., 2] in its pixels, in pixels of the image.

    `reference` "mmpose" stretches the input's size over the sides whatever the crop was, which for "corners" is up to a
    pixel of the crop off, and knows no rotation; "exact" inverts the crop's own transform.
    """
    if reference == "mmpose":
        sides, middle = np.asarray(scale, np.float64), np.asarray(center, np.float64)
        stretched: Doubles = np.asarray(points, np.float64) / np.array(input_size) * sides + middle - 0.5 * sides
        return stretched
    return transformed(points, inverse_matrix(crop_matrix(center, scale, input_size, rotation_deg, placed)))


def cropped(image: npt.NDArray[Any], matrix: AffineMatrix, output_size: ImageSize) -> npt.NDArray[Any]:
    """What an image shows through a crop: bilinear, 0 outside; of the image's type, `output_size` wide and high."""
    out: npt.NDArray[Any] = cv2.warpAffine(image, matrix, output_size, flags=cv2.INTER_LINEAR)
    return out


class PersonCrop(Calculator):
    """Cuts a person out of an image for a top-down network, and says how to come back exactly.

    The person is a DETECTION's box or a NORM_RECT; a rotated rectangle gives a rotated crop. The box grows by
    `padding`, then its shorter side to the crop's aspect ratio. MATRIX is what `LandmarkProjection` takes: from
    coordinates normalized by the crop to those normalized by the image; together they are RMPE's SSTN and SDTN.

    Source: mmpose `TopdownAffine`; Fang et al., "RMPE", 2017, section 3.1.
    """

    image = Input("IMAGE", Image, "uint8 or float32")
    detection = Input("DETECTION", Detection, "with a normalized box; this or NORM_RECT", optional=True)
    rect = Input("NORM_RECT", NormalizedRect, "this or DETECTION", optional=True)
    crop = Output("IMAGE", Image, "`width` x `height`, black outside the image")
    matrix = Output("MATRIX", Matrix4, "from the crop's normalized coordinates to the image's", optional=True)

    width: int = Option(192, "of the crop, in pixels")
    height: int = Option(256, "of the crop, in pixels")
    padding: float = Option(1.25, "times the sides of the box")
    placed: Literal["uniform", "corners"] = Option("uniform", "corners: as UDP crops, whose networks need it")

    def process(self, context: Context) -> None:
        image = context[self.image]
        detection: Detection | None = context[self.detection]
        rect: NormalizedRect | None = context[self.rect]
        if image is None or (detection is None and rect is None):
            return
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        rotation_deg = 0.0
        if rect is not None:
            center = np.array([rect.x_center, rect.y_center]) * size
            sides = np.array([rect.width, rect.height]) * size * self.padding
            rotation_deg = float(np.rad2deg(rect.rotation))
        else:
            assert detection is not None
            center, sides = _person(detection, size, self.padding)
        if not (sides > 0).all():
            return
        output_size = (self.width, self.height)
        sides = fix_aspect_ratio(sides, self.width / self.height)
        matrix = crop_matrix(center, sides, output_size, rotation_deg, self.placed)
        context[self.crop] = cropped(image, matrix, output_size)
        if context.is_connected(self.matrix):
            context[self.matrix] = _normalized(inverse_matrix(matrix), np.array(output_size, np.float64), size)


def _person(detection: Detection, size: Doubles, padding: float) -> CenterScale:
    if detection.box is None:
        raise ValueError("the DETECTION has no box; a crop needs one")
    low = detection.box[:2].astype(np.float64)
    unit = np.ones(2) if detection.box_format == "pixel" else size
    return box_to_center_scale(np.concatenate([low, low + detection.box[2:]]) * np.tile(unit, 2), padding)


def _normalized(back: AffineMatrix, crop_size: Doubles, size: Doubles) -> FloatArray:
    """A transform of pixels as one of normalized coordinates, for points (x, y, z, 1); z as x."""
    matrix = np.eye(4, dtype=np.float32)
    matrix[:2, :2] = back[:, :2] * crop_size / size[:, None]
    matrix[:2, 3] = back[:, 2] / size
    matrix[2, 2] = np.hypot(back[0, 0], back[1, 0]) * crop_size[0] / size[0]
    return matrix
