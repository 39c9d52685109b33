"""How far two runs over the same video are apart: what `peer_noise.py` and `own_noise.py` print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np

REGION_NOISE = 1e-6
"""How far a region is moved and scaled at most, of its own size: thousandths of a pixel."""


class Row(NamedTuple):
    """Median and 95th percentile of distances (of masks: mean and worst difference); share of frames that agree."""

    middle: float
    far: float
    agreement: float


def unit(part: str) -> str:
    if "mask" in part:
        return ""
    return "mm" if "world" in part else "px"


def disagreement(part: str, one: Sequence[list[Any]], two: Sequence[list[Any]], shape: tuple[int, ...]) -> Row:
    """Compares what two runs found in each frame, on the frames where they found equally many.

    Args:
        part: the name of what is compared; tells image landmarks, world landmarks and masks apart.
        one, two: for each frame the [N, 3] arrays, or the mask, that a run found.
        shape: height and width of the frames, in pixels.
    """
    pairs = list(zip(one, two, strict=True))
    both = [(a, b) for first, second in pairs if len(first) == len(second) for a, b in zip(first, second, strict=True)]
    agreement = float(np.mean([len(first) == len(second) for first, second in pairs]))
    if unit(part) == "":
        means = [float(np.mean(abs(_small(a) - _small(b)))) for a, b in both]
        return Row(float(np.mean(means)), max(means), agreement)
    scale = np.array([1000.0, 1000.0, 1000.0] if unit(part) == "mm" else [shape[1], shape[0], 0.0])
    gaps = np.concatenate([np.linalg.norm((a - b) * scale, axis=1) for a, b in both] or [np.zeros(1)])
    return Row(float(np.median(gaps)), float(np.percentile(gaps, 95)), agreement)


def report(name: str, part: str, rows: Sequence[Row]) -> None:
    """Prints the middle of several repetitions, and the worst of them; one repetition as it is."""
    middle = Row(*(float(np.median(column)) for column in zip(*rows, strict=True)))
    worst = Row(max(row.middle for row in rows), max(row.far for row in rows), min(row.agreement for row in rows))
    kinds = (("", middle),) if len(rows) == 1 else (("half of the runs within ", middle), ("all within ", worst))
    for label, row in kinds:
        if unit(part):
            numbers = f"median {row.middle:.3f} {unit(part)}, p95 {row.far:.3f} {unit(part)}"
        else:
            numbers = f"mean {row.middle:.5f}, worst {row.far:.5f}"
        print(f"{name}: {label}{numbers}, presence {row.agreement:.4f}", flush=True)


def _small(mask: Any) -> Any:
    """The mask as recordings hold it: at most 256 pixels long."""
    height, width = mask.shape
    scale = min(1.0, 256 / max(height, width))
    return cv2.resize(mask, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
