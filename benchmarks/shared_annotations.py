"""Writes the people annotated in the shared folder as a COCO keypoint file, for `graphflow eval`.

python benchmarks/shared_annotations.py ../shared/data people.json
graphflow eval pose --compare holistic --compare movenet --data people.json --images ../shared/data/images
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

KEPT = ("area", "iscrowd", "num_keypoints")


def converted(annotations: dict[str, Any]) -> dict[str, Any]:
    """The images with people, in the order of the file; MPII's reference length of a head goes with them."""
    images: list[dict[str, Any]] = []
    people: list[dict[str, Any]] = []
    for name, entry in annotations["images"].items():
        if not entry["persons"]:
            continue
        images.append({"id": len(images) + 1, "file_name": name})
        for person in entry["persons"]:
            found = {key: person[key] for key in KEPT if person.get(key) is not None}
            if "bbox_xywh" in person:
                found["bbox"] = person["bbox_xywh"]
            if "head_size_px" in person:
                found["head_length"] = person["head_size_px"]
            points = [number for point in person["keypoints"] for number in point]
            people.append(
                {"id": len(people) + 1, "image_id": len(images), "category_id": 1, "keypoints": points, **found}
            )
    category = {"id": 1, "name": "person", "keypoints": annotations["coco17"]}
    return {"images": images, "annotations": people, "categories": [category]}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the shared annotations as a COCO keypoint file.")
    parser.add_argument("data", type=Path, help="the folder with annotations.json")
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    annotations = json.loads((arguments.data / "annotations.json").read_text())
    arguments.target.write_text(json.dumps(converted(annotations)))


if __name__ == "__main__":
    main()
