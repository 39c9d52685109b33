"""The recorded redundant poses of the pose NMS cases, as annotations and proposals.

`python -m tests.redundant_sets CASES TARGET` writes them for `graphflow fit pose-nms`: every other set to
`fit_truth.json` and `fit_proposals.json`, the rest to `held_out_*.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np


def redundant_sets(folder: Path, part: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Every other recorded set (`part` 0 or 1) as the content of an annotation file and of a results file.

    The cases say which proposals are of one person, not where that person is: the truth is the median of the person's
    proposals, which pose NMS, taking weighted means, does not reproduce by construction.
    """
    cases = json.loads((folder / "cases.json").read_text())["cases"]
    sets = [case for case in cases if case["kind"] == "pose_nms"][part::2]
    images, annotations, proposals = [], [], []
    with np.load(folder / "arrays.npz") as arrays:
        for number, case in enumerate(sets, 1):
            given = {name: arrays[f"{case['id']}/in/{name}"] for name in case["inputs"]}
            poses, people = given["poses"].astype(float), given["true_person"]
            images.append({"id": number, "file_name": f"{case['id']}.png"})
            for person in np.unique(people):
                pose = np.median(poses[people == person], axis=0)
                flat = np.column_stack([pose, np.full(len(pose), 2)]).reshape(-1).tolist()
                annotations.append({"image_id": number, "keypoints": flat})
            for pose, sure, box in zip(poses, given["pose_scores"], given["box_scores"].ravel(), strict=True):
                flat = np.column_stack([pose, sure]).astype(float).reshape(-1).tolist()
                proposals.append({"image_id": number, "category_id": 1, "keypoints": flat, "score": float(box)})
    return {"images": images, "annotations": annotations}, proposals


def main(folder: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for part, name in enumerate(("fit", "held_out")):
        truth, proposals = redundant_sets(folder, part)
        (target / f"{name}_truth.json").write_text(json.dumps(truth))
        (target / f"{name}_proposals.json").write_text(json.dumps(proposals))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
