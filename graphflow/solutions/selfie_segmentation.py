"""Who is near the camera, pixel by pixel, as `mp.solutions.selfie_segmentation`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .solution import Solution

__all__ = ["SelfieSegmentation", "SelfieSegmentationResults"]


class SelfieSegmentationResults(NamedTuple):
    """What `SelfieSegmentation.process` found.

    Attributes:
        segmentation_mask: float32 [H, W], chance in 0..1 that a pixel shows a person; read-only.
    """

    segmentation_mask: npt.NDArray[np.float32] | None


class SelfieSegmentation(Solution):
    """Tells people near the camera from what is behind them, on each image anew.

    Args:
        model_selection: 0 for any image, 1 is faster and made for landscape format.

    Raises:
        ValueError: there is no such model.
        ModelError: a model cannot be had.
    """

    def __init__(self, model_selection: int = 0) -> None:
        if model_selection not in (0, 1):
            raise ValueError(f"model_selection is 0 (general) or 1 (landscape), not {model_selection!r}")
        super().__init__("selfie_segmentation", ("segmentation_mask",), params={"model_selection": model_selection})

    def process(self, image: npt.NDArray[np.uint8]) -> SelfieSegmentationResults:
        """Looks at an image.

        Args:
            image: uint8 [H, W, 3] RGB.

        Raises:
            ValueError: the image has another shape, or this is closed.
            TypeError: the image is no array of bytes.
            RuntimeError: the graph failed.
        """
        return SelfieSegmentationResults(self._run(image).get("segmentation_mask"))
