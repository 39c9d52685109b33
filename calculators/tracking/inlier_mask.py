"""What the last frames said about the background: where its points were, and how it moved."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from ..payloads import FloatArray

GRID: Final = 10

_DECAY: Final = 0.7
_INLIER_SCORE: Final = 0.4
_BASE_SCORE: Final = 0.2
_LEAST_TRANSLATION: Final = 2e-3
_BLEND: Final = 0.7
_PRIOR_INCREASE: Final = 0.2
_LEAST_PRIOR: Final = 0.5


def cells(points: FloatArray, domain: npt.NDArray[np.floating]) -> npt.NDArray[np.int64]:
    """The cell of a grid over the frame that each point lies in: int64 [N]."""
    place = np.minimum((points / domain * GRID).astype(np.int64), GRID - 1)
    flat: npt.NDArray[np.int64] = place[:, 1] * GRID + place[:, 0]
    return flat


class InlierMask:
    """Favours points where the background was, and motions as it had. Source: MediaPipe InlierMask."""

    def __init__(self) -> None:
        self._translation = np.zeros(2)
        self.reset()

    def reset(self) -> None:
        """Forgets what the frames so far said."""
        self._mask = np.ones(GRID * GRID)
        self._translation_prior = 0.0

    def scores(self, cell: npt.NDArray[np.int64], flows: FloatArray) -> npt.NDArray[np.float64]:
        """How much points with these flows in these cells count: float64 [N]."""
        return self._motion_prior(flows) + _BASE_SCORE + self._mask[cell]

    def _motion_prior(self, flows: FloatArray) -> npt.NDArray[np.float64]:
        if self._translation_prior < _LEAST_PRIOR:
            return np.ones(len(flows))
        scale = max(float(np.hypot(*self._translation)), _LEAST_TRANSLATION)
        apart = np.hypot(*(flows - self._translation).T) / scale
        prior: npt.NDArray[np.float64] = _BASE_SCORE + np.maximum(0.0, 1.0 - apart)
        return prior

    def record(self, cell: npt.NDArray[np.int64], weights: FloatArray) -> None:
        """Takes in where the background's points are in a frame, with their weights."""
        mask = self._mask * _DECAY
        for place, weight in zip(cell.tolist(), weights.tolist(), strict=True):
            mask[place] = min(1.0, mask[place] + weight * _INLIER_SCORE)
        self._mask = mask

    def record_translation(self, translation: npt.NDArray[np.floating]) -> None:
        """Takes in how the background moves in a frame."""
        old = _BLEND * self._translation_prior
        self._translation = self._translation * old + translation * (1 - old)
        self._translation_prior = min(1.0, self._translation_prior + _PRIOR_INCREASE)
