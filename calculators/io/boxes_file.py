"""BoxesFile: people's boxes that another program found, from a file."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..payloads import Detection


class BoxesFile(Calculator):
    """Gives each frame the boxes that a file has for it: a COCO results file, or the annotations of a COCO file.

    Frame i is the image whose id is the i-th smallest, or i-th in the file's own list of `images`. `bbox` is x, y,
    width, height in pixels; `score` 1 where it is missing.
    """

    tick = Input("TICK", doc="anything that comes with every frame")
    detections = Output("DETECTIONS", list[Detection], "in pixels; the surest first")

    path: str = Option(doc="a .json file")
    min_score: float = Option(0.0, "boxes that score less are dropped")

    def open(self, context: Context) -> None:
        self._frames = _read(Path(self.path).expanduser(), self.min_score)
        self._next = 0

    def process(self, context: Context) -> None:
        if context[self.tick] is None:
            return
        context[self.detections] = self._frames[self._next] if self._next < len(self._frames) else []
        self._next += 1

    def reset(self, context: Context) -> None:
        self._next = 0


def _read(path: Path, min_score: float) -> list[list[Detection]]:
    try:
        data = json.loads(path.read_text("utf-8"))
        entries = data["annotations"] if isinstance(data, dict) else data
        by_image: defaultdict[int, list[Detection]] = defaultdict(list)
        for entry in entries:
            score = float(entry.get("score", 1.0))
            if score >= min_score:
                box = np.array(entry["bbox"], np.float32).reshape(4)
                by_image[entry["image_id"]].append(_detection(box, score))
        order = [image["id"] for image in data["images"]] if isinstance(data, dict) else sorted(by_image)
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path} has no boxes: {type(error).__name__}: {error}; it must be a COCO results or annotation file"
        ) from error
    return [sorted(by_image[image], key=lambda detection: -float(detection.scores[0])) for image in order]


def _detection(box: npt.NDArray[np.float32], score: float) -> Detection:
    return Detection(box, scores=np.array([score], np.float32), label_ids=np.zeros(1, np.int32), box_format="pixel")
