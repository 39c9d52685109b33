"""What a detector or a pose network proposed for annotated images, more than once for each person perhaps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Doubles: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ImageProposals:
    """The proposals of one image.

    Attributes:
        boxes: float64 [N, 4]: x_min, y_min, x_max, y_max, px.
        poses: float64 [N, K, 3]: x, y in px and score; K is 0 where the file has boxes alone.
        scores: float64 [N], of the proposals.
    """

    boxes: Doubles
    poses: Doubles
    scores: Doubles


def read_proposals(path: str | Path) -> dict[int, ImageProposals]:
    """Read a COCO results file: for each proposal `image_id`, `keypoints`, `bbox` or both, and perhaps `score`.

    A box that is missing is the extent of the keypoints; a score, 1.

    Returns:
        the proposals by `image_id`.

    Raises:
        ValueError: the file is no results file; the message says what is missing.
        OSError: it cannot be read.
    """
    try:
        entries = json.loads(Path(path).read_text("utf-8"))
        if not isinstance(entries, list):
            raise TypeError("it holds no list")
        by_image: defaultdict[int, list[Mapping[str, Any]]] = defaultdict(list)
        for entry in entries:
            by_image[entry["image_id"]].append(entry)
        return {image: _proposals(each) for image, each in by_image.items()}
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not a COCO results file: {type(error).__name__}: {error}; it must be a list of objects with "
            "image_id, keypoints or bbox, and score"
        ) from error


def _proposals(entries: Sequence[Mapping[str, Any]]) -> ImageProposals:
    poses = np.array([np.reshape(entry.get("keypoints", ()), (-1, 3)) for entry in entries], np.float64)
    boxes = []
    for entry, pose in zip(entries, poses, strict=True):
        if "bbox" in entry:
            x, y, width, height = entry["bbox"]
            boxes.append([x, y, x + width, y + height])
        elif len(pose):
            boxes.append([*pose[:, :2].min(axis=0), *pose[:, :2].max(axis=0)])
        else:
            raise KeyError("neither keypoints nor bbox")
    scores = [float(entry.get("score", 1.0)) for entry in entries]
    return ImageProposals(np.array(boxes, np.float64), poses, np.array(scores, np.float64))
