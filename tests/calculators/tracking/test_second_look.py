"""Atomic poses, how boxes of people in them are off, and the second look at uncertain people."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.tracking.atomic_poses import (
    AtomicPoses,
    atomic_poses_text,
    read_atomic_poses,
    sample_variants,
    torso_aligned,
)
from graphflow.calculators.tracking.second_look import ProposalVariants

from graphflow.cli import main
from graphflow.evaluation.annotations import read_annotations
from graphflow.evaluation.proposal_fitting import fit_proposals
from graphflow.evaluation.proposals import read_proposals
from graphflow.inference.cards import COCO_KEYPOINTS
from graphflow.testing import run_calculator

Array = npt.NDArray[Any]
SIZE = (640, 480)

STANDING = np.random.default_rng(1).uniform(0, 1, (17, 2)) * (40, 160)
STANDING[[5, 6, 11, 12]] = [[10, 30], [30, 30], [12, 90], [28, 90]]
LYING = STANDING[:, ::-1].copy()
# standing people are cut off below, lying ones to the right
OFFSETS = {"standing": (0.0, 0.0, 0.0, -0.2), "lying": (0.0, 0.0, -0.3, 0.0)}


def files(folder: Path) -> tuple[Path, Path]:
    """Forty people of each pose, of different sizes; a detector's boxes that are off, and one that is nobody's."""
    random = np.random.default_rng(2)
    images, annotations, proposals = [], [], []
    for number in range(1, 81):
        name = "standing" if number % 2 else "lying"
        pose = (STANDING if number % 2 else LYING) * random.uniform(0.5, 2) + random.uniform(0, 200, 2)
        pose = pose + random.normal(0, 0.5, pose.shape)
        low, size = pose.min(axis=0), np.ptp(pose, axis=0)
        images.append({"id": number, "file_name": f"{number}.png"})
        flat = np.column_stack([pose, np.full(17, 2)]).ravel().tolist()
        annotations.append({"image_id": number, "keypoints": flat, "bbox": [*low, *size]})
        sides = np.array([*low, *(low + size)]) + (OFFSETS[name] + random.normal(0, 0.02, 4)) * np.tile(size, 2)
        for box in (sides, sides + 1000):
            proposals.append({"image_id": number, "bbox": [*box[:2], *(box[2:] - box[:2])]})
    paths = folder / "truth.json", folder / "boxes.json"
    paths[0].write_text(json.dumps({"images": images, "annotations": annotations}))
    paths[1].write_text(json.dumps(proposals))
    return paths


def test_each_pose_has_its_own_offsets(tmp_path: Path) -> None:
    truth, boxes = files(tmp_path)
    learned = fit_proposals(read_annotations(truth), read_proposals(boxes), atoms=2)
    assert learned.count.tolist() == [40, 40]
    known = np.ones((2, 17), np.bool_)
    atoms = learned.nearest(np.stack([STANDING * 3 + 7, LYING]), known)
    for atom, name in zip(atoms, OFFSETS, strict=True):
        np.testing.assert_allclose(learned.mean[atom], OFFSETS[name], atol=0.015)
        np.testing.assert_allclose(learned.deviation[atom], 0.02, atol=0.01)
    again = fit_proposals(read_annotations(truth), read_proposals(boxes), atoms=2)
    np.testing.assert_array_equal(again.poses, learned.poses)


def test_small_groups_take_the_numbers_of_all(tmp_path: Path) -> None:
    truth, boxes = files(tmp_path)
    learned = fit_proposals(read_annotations(truth), read_proposals(boxes), atoms=2, min_people=41)
    np.testing.assert_array_equal(learned.mean[0], learned.mean[1])
    np.testing.assert_allclose(learned.mean[0], (0, 0, -0.15, -0.1), atol=0.01)


def test_poses_are_alike_whatever_their_place_and_size() -> None:
    poses = np.stack([STANDING, STANDING * 2.5 + (100, 30), STANDING])
    known = np.ones((3, 17), np.bool_)
    known[2, 11] = False
    aligned, usable = torso_aligned(poses, known, COCO_KEYPOINTS)
    np.testing.assert_allclose(aligned[0], aligned[1], atol=1e-12)
    assert usable.tolist() == [True, True, False]
    assert not aligned[2].any()
    with pytest.raises(ValueError, match="left_hip"):
        torso_aligned(poses, known, ("nose",) * 17)


def test_the_file_holds_what_was_learned_and_the_command_writes_it(tmp_path: Path) -> None:
    truth, boxes = files(tmp_path)
    learned = fit_proposals(read_annotations(truth), read_proposals(boxes), atoms=2)
    with pytest.raises(SystemExit) as ended:
        arguments = [
            "--data",
            str(truth),
            "--proposals",
            str(boxes),
            "--atoms",
            "2",
            "-o",
            str(tmp_path / "atoms.yaml"),
        ]
        main(["fit", "proposals", *arguments])
    assert ended.value.code == 0
    read = read_atomic_poses(tmp_path / "atoms.yaml")
    assert read.keypoints == COCO_KEYPOINTS
    np.testing.assert_allclose(read.poses, learned.poses, atol=1e-4)
    np.testing.assert_allclose(read.mean, learned.mean, atol=1e-4)
    np.testing.assert_allclose(read.deviation, learned.deviation, atol=1e-4)
    (tmp_path / "atoms.yaml").write_text("keypoints: [nose]\natoms: []\n")
    with pytest.raises(ValueError, match="there is no atom"):
        read_atomic_poses(tmp_path / "atoms.yaml")


def two_atoms() -> AtomicPoses:
    aligned, _ = torso_aligned(np.stack([STANDING, LYING]), np.ones((2, 17), np.bool_), COCO_KEYPOINTS)
    mean = np.array([OFFSETS["standing"], OFFSETS["lying"]])
    return AtomicPoses(COCO_KEYPOINTS, aligned, mean, np.full((2, 4), 0.03), np.array([40, 40]))


def test_variants_have_the_distribution_of_their_atom() -> None:
    boxes = sample_variants([[0, 0, 100, 200]], [1], two_atoms(), 4000, np.random.default_rng(0))[0]
    offsets = (boxes - (0, 0, 100, 200)) / (100, 200, 100, 200)
    np.testing.assert_allclose(offsets.mean(axis=0), OFFSETS["lying"], atol=0.003)
    np.testing.assert_allclose(offsets.std(axis=0), 0.03, atol=0.003)


def test_uncertain_people_get_variants_and_sure_ones_none(tmp_path: Path) -> None:
    (tmp_path / "atoms.yaml").write_text(atomic_poses_text(two_atoms()))
    people = []
    for pose, sure in ((STANDING, 0.9), (LYING, 0.3)):
        xyz = np.zeros((17, 3), np.float32)
        xyz[:, :2] = (pose + 100) / SIZE
        people.append(NormalizedLandmarkList(xyz, visibility=np.full(17, sure, np.float32)))
    inputs = {"NORM_LANDMARKS": [(0, people), (1, people), (2, [])], "IMAGE_SIZE": [(t, SIZE) for t in range(3)]}
    options = {"atoms": str(tmp_path / "atoms.yaml"), "variants": 50, "padding": 1.0}
    found = run_calculator(ProposalVariants, inputs, options)
    assert [owners for _, owners in found["OWNERS"]] == [[1] * 50, [1] * 50, []]
    first, second, nobody = (rects for _, rects in found["NORM_RECTS"])
    assert nobody == []
    assert first != second
    assert run_calculator(ProposalVariants, inputs, options) == found
    assert run_calculator(ProposalVariants, inputs, options | {"seed": 1})["NORM_RECTS"] != found["NORM_RECTS"]
    # cut off to the right, as lying people are
    width = np.ptp(LYING[:, 0]) / SIZE[0]
    assert np.mean([rect.width for rect in first]) == pytest.approx(0.7 * width, rel=0.03)
    every = run_calculator(ProposalVariants, inputs, {"uncertain_below": 1.1, "variants": 2})
    assert every["OWNERS"][0][1] == [0, 0, 1, 1]
