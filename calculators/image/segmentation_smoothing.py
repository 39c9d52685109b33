"""SegmentationSmoothing: a mask that does not flicker."""

from __future__ import annotations

import numpy as np

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import njit
from ..payloads import FloatArray, Image

_COEFFICIENTS = np.array([5.68842, -0.748699, -57.8051, 291.309, -624.717], np.float32)


class SegmentationSmoothing(Calculator):
    """Mixes a mask with the one before it, the more the less certain a pixel is.

    Source: MediaPipe SegmentationSmoothingCalculator.
    """

    mask = Input("MASK", Image, "float32 [H, W] in 0..1")
    previous = Input("MASK_PREVIOUS", Image, "the smoothed mask of the frame before; the same size")
    smoothed = Output("MASK_SMOOTHED", Image, "float32 [H, W]; MASK itself where there is none before it")

    combine_with_previous_ratio: float = Option(0.0, "how much of the previous mask goes into an uncertain pixel, 0..1")

    def process(self, context: Context) -> None:
        mask, previous = context[self.mask], context[self.previous]
        if mask is None:
            return
        if previous is None:
            context.emit_packet(self.smoothed, context.packet(self.mask))
        else:
            context[self.smoothed] = smooth_mask(mask, previous, self.combine_with_previous_ratio)


def smooth_mask(mask: FloatArray, previous: FloatArray, ratio: float) -> FloatArray:
    """The mask with each uncertain pixel moved towards the previous one.

    How uncertain a probability p is, 1 - (1 - H(p))² with the entropy H in bits, is approximated by a polynomial.

    Args:
        mask: float32 [H, W] in 0..1.
        previous: float32 [H, W] in 0..1.
        ratio: 0..1; at 1 an entirely uncertain pixel becomes the previous one.

    Raises:
        ValueError: the masks differ in size, or are not float32 [H, W].
    """
    for array in (mask, previous):
        if array.dtype != np.float32 or array.ndim != 2:
            raise ValueError(f"a mask must be float32 [H, W], not {array.dtype} {list(array.shape)}")
    if mask.shape != previous.shape:
        raise ValueError(f"the masks differ in size: {list(mask.shape)} and {list(previous.shape)}")
    smoothed = np.empty(mask.shape, np.float32)
    _smooth(np.ascontiguousarray(mask), np.ascontiguousarray(previous), np.float32(ratio), _COEFFICIENTS, smoothed)
    return smoothed


@njit(cache=True, nogil=True)
def _smooth(
    mask: FloatArray, previous: FloatArray, ratio: np.float32, coefficients: FloatArray, smoothed: FloatArray
) -> None:
    one, half = np.float32(1), np.float32(0.5)
    c1, c2, c3, c4, c5 = coefficients
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            value = mask[row, column]
            distance = (value - half) * (value - half)
            certainty = distance * (c1 + distance * (c2 + distance * (c3 + distance * (c4 + distance * c5))))
            # as std::min(1, certainty): what is no number passes as 1
            uncertainty = one - (certainty if certainty < one else one)
            smoothed[row, column] = value + (previous[row, column] - value) * (uncertainty * ratio)
