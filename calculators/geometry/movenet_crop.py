"""Where MoveNet looks next: a square around the person that the last frame showed."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import ImageSize, NormalizedLandmarkList, NormalizedRect

CropReference: TypeAlias = Literal["tutorial", "tflite_example"]
"""Whose body range: all confident keypoints, or the right hip alone as the TFLite example has it by mistake."""

FirstRegion: TypeAlias = Literal["padded_square", "central_square"]
"""What is looked at before anybody was found: all of the image with black bands, or its middle."""

_MIN_SCORE = 0.2
_TORSO = (5, 6, 11, 12)  # shoulders, hips of COCO's 17 keypoints
_TORSO_MARGIN, _BODY_MARGIN = 1.9, 1.2


class CropBox(NamedTuple):
    """A region normalized by the image; it reaches outside 0..1 where the crop is padded."""

    y_min: float
    x_min: float
    y_max: float
    x_max: float

    def as_rect(self) -> NormalizedRect:
        """The same region as the rectangle that other calculators take."""
        center = (self.x_min + self.x_max) / 2, (self.y_min + self.y_max) / 2
        sides = np.array([*center, self.x_max - self.x_min, self.y_max - self.y_min], np.float32)
        x, y, width, height = (float(number) for number in sides)
        return NormalizedRect(x, y, width, height)


def padded_square(width: int, height: int) -> CropBox:
    """The smallest square that holds a whole image of `width` x `height` pixels, around its middle.

    >>> padded_square(640, 320)
    CropBox(y_min=-0.5, x_min=0.0, y_max=1.5, x_max=1.0)
    """
    if width > height:
        y_min = (height / 2 - width / 2) / height
        return CropBox(y_min, 0.0, y_min + width / height, 1.0)
    x_min = (width / 2 - height / 2) / width
    return CropBox(0.0, x_min, 1.0, x_min + height / width)


def central_square(width: int, height: int) -> CropBox:
    """The largest square inside an image of `width` x `height` pixels, around its middle.

    >>> central_square(640, 320)
    CropBox(y_min=0.0, x_min=0.25, y_max=1.0, x_max=0.75)
    """
    if width > height:
        x_min = (width / 2 - height / 2) / width
        return CropBox(0.0, x_min, 1.0, x_min + height / width)
    y_min = (height / 2 - width / 2) / height
    return CropBox(y_min, 0.0, y_min + width / height, 1.0)


def next_crop(
    keypoints: npt.ArrayLike, width: int, height: int, reference: CropReference = "tutorial"
) -> CropBox | None:
    """The square around a person's hips that holds torso and body with some margin.

    Args:
        keypoints: float32 or float64 [17, 3] in COCO's order: y and x normalized by the image, score.
        width: of the image, in pixels.
        height: of the image, in pixels.
        reference: which published program's body range; they agree but for the fault named at `CropReference`.

    Returns:
        None where no shoulder or no hip is surer than 0.2, or the square would be larger than the image's longer side.

    Raises:
        ValueError: `keypoints` are not [17, 3].

    Source: the MoveNet tutorial of TensorFlow Hub, `determine_crop_region`.
    """
    points = np.asarray(keypoints)
    number = np.float32 if points.dtype == np.float32 else np.float64  # programs differ; MoveNet's own use float32
    points = points.astype(number)
    if points.shape != (17, 3):
        raise ValueError(f"keypoints are [17, 3], not {list(points.shape)}")
    scores = points[:, 2]
    if not (scores[[5, 6]].max() > _MIN_SCORE and scores[[11, 12]].max() > _MIN_SCORE):
        return None
    sides = np.array([height, width], number)
    places = points[:, :2] * sides
    center = (places[11] + places[12]) / 2
    reach = np.abs(places - center)
    seen = np.flatnonzero(scores >= _MIN_SCORE)
    if reference == "tflite_example":
        seen = np.full(min(len(seen), 1), _TORSO[-1])
    body = reach[seen].max(initial=number(0))
    half = max(reach[list(_TORSO)].max() * number(_TORSO_MARGIN), body * number(_BODY_MARGIN))
    half = min(half, max(center.max(), (sides - center).max()))
    if not half <= max(width, height) / 2:
        return None
    low, high = (center - half) / sides, (center - half + half * number(2)) / sides
    return CropBox(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


class CropSmoother:
    """Smooths the four sides of crops over time, each by a low pass of its own.

    Args:
        alpha: weight of the new crop, in 0..1; 1 leaves crops as they are.

    Source: tfjs-models `movenet/detector.ts`, `filterCropRegion`.
    """

    def __init__(self, alpha: float = 0.9) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha must be in 0..1, not {alpha}")
        self.alpha = alpha
        self._last: CropBox | None = None

    def apply(self, crop: CropBox) -> CropBox:
        """The smoothed crop; the first one passes as it is."""
        if self._last is None:
            self._last = crop
        else:
            self._last = CropBox(*(old + self.alpha * (new - old) for old, new in zip(self._last, crop, strict=True)))
        return self._last

    def reset(self) -> None:
        """Forgets the past."""
        self._last = None


class MoveNetCrop(Calculator):
    """Says which square of an image MoveNet should look at, from the keypoints of the frame before.

    LANDMARKS are those of the frame before, normalized to the image, their score as visibility; they come over a
    `PreviousLoopback`. Without them (first frame, or nobody found) the crop begins anew with `first_region`; where
    they do not show a torso it is the padded square, so that the whole image is searched.

    Source: TensorFlow Hub's MoveNet tutorial; with `smoothing` 0.9 and "central_square", tfjs-models.
    """

    size = Input("IMAGE_SIZE", ImageSize, "width, height in pixels")
    previous = Input("LANDMARKS", NormalizedLandmarkList, "of the frame before; 17 in COCO's order", optional=True)
    rect = Output("NORM_RECT", NormalizedRect, "the square, reaching outside the image where it has to be padded")

    first_region: FirstRegion = Option("padded_square", "the region while nobody was found")
    smoothing: float = Option(1.0, "weight of the new crop against the last, 0..1; 1 does not smooth")
    reference: CropReference = Option("tutorial", "whose rule for the extent of the body")

    def open(self, context: Context) -> None:
        self._smoother = CropSmoother(self.smoothing)

    def process(self, context: Context) -> None:
        size = context[self.size]
        if size is None:
            return
        width, height = size
        landmarks: NormalizedLandmarkList | None = context[self.previous]
        if landmarks is None:
            self._smoother.reset()
            first = central_square if self.first_region == "central_square" else padded_square
            crop = first(width, height)
        else:
            scores = np.ones(len(landmarks), np.float32) if landmarks.visibility is None else landmarks.visibility
            points = np.column_stack([landmarks.xyz[:, 1], landmarks.xyz[:, 0], scores])
            found = next_crop(points, width, height, self.reference)
            crop = self._smoother.apply(found or padded_square(width, height))
        context[self.rect] = crop.as_rect()
