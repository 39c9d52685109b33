"""`graphflow fit`: what it writes is what the calculators read, and is better than what it began with."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.calculators.tracking.pose_nms import PoseNms, PoseNmsParameters, pose_nms_text, read_pose_nms
from redundant_sets import redundant_sets

from graphflow.evaluation.annotations import read_annotations
from graphflow.evaluation.nms_fitting import nms_average_precision
from graphflow.evaluation.proposals import read_proposals
from graphflow.testing import run_calculator

from .conftest import Cli

SIZE = (640, 480)


def people(seed: int, images: int, noise_px: float) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Two people side by side in each image, 100 px tall, each proposed three times."""
    random = np.random.default_rng(seed)
    annotations, proposals = [], []
    for image in range(1, images + 1):
        for x in (100.0, 160.0):
            pose = random.uniform((x, 100), (x + 50, 200), (17, 2))
            annotations.append(
                {"image_id": image, "keypoints": np.column_stack([pose, np.full(17, 2)]).ravel().tolist()}
            )
            for _ in range(3):
                wrong = pose + random.normal(0, noise_px, pose.shape)
                flat = np.column_stack([wrong, random.uniform(0.4, 0.9, 17)]).ravel().tolist()
                proposals.append({"image_id": image, "category_id": 1, "keypoints": flat, "score": random.random()})
    entries = [{"id": image, "file_name": f"{image}.png"} for image in range(1, images + 1)]
    return {"images": entries, "annotations": annotations}, proposals


def written(folder: Path, name: str, truth: object, proposals: object) -> tuple[Path, Path]:
    paths = folder / f"{name}_truth.json", folder / f"{name}_proposals.json"
    for path, content in zip(paths, (truth, proposals), strict=True):
        path.write_text(json.dumps(content))
    return paths


def test_bad_parameters_become_good_ones_on_other_images_too(cli: Cli, tmp_path: Path) -> None:
    pytest.importorskip("faster_coco_eval")
    data, found = written(tmp_path, "fit", *people(1, 6, 3.0))
    other = written(tmp_path, "other", *people(2, 6, 3.0))
    # nothing is ever alike: every person is found three times
    (tmp_path / "start.yaml").write_text(pose_nms_text(PoseNmsParameters(gamma=60.0, match_threshold=0)))
    given = ["--data", data, "--proposals", found, "--held-out", *other, "--start", "start.yaml", "--rounds", 1]
    outcome = cli("fit", "pose-nms", *given, "-o", "fitted.yaml")
    assert outcome.code == 0, outcome.err
    fitted = read_pose_nms(tmp_path / "fitted.yaml")
    truth, proposals = read_annotations(other[0]), read_proposals(other[1])
    before = nms_average_precision(truth, proposals, read_pose_nms(tmp_path / "start.yaml"))
    after = nms_average_precision(truth, proposals, fitted)
    assert after > before + 0.02
    assert f"held out {before:.4f} -> {after:.4f}" in outcome.err


def test_fitted_parameters_beat_the_defaults_on_the_held_out_recorded_sets(
    cli: Cli, tmp_path: Path, shared: Path
) -> None:
    pytest.importorskip("faster_coco_eval")
    folder = shared / "conformance" / "pose" / "rmpe"
    data, found = written(tmp_path, "fit", *redundant_sets(folder, 0))
    other = written(tmp_path, "other", *redundant_sets(folder, 1))
    outcome = cli("fit", "pose-nms", "--data", data, "--proposals", found, "-o", "fitted.yaml")
    assert outcome.code == 0, outcome.err
    truth, proposals = read_annotations(other[0]), read_proposals(other[1])
    fitted = nms_average_precision(truth, proposals, read_pose_nms(tmp_path / "fitted.yaml"))
    assert fitted > nms_average_precision(truth, proposals, PoseNmsParameters())


def test_the_calculator_takes_the_file_and_its_options_alike(tmp_path: Path) -> None:
    pose = np.random.default_rng(3).uniform(0.2, 0.5, (17, 3)).astype(np.float32)
    moved = pose + np.float32(0.02)
    sure = np.full(17, 0.8, np.float32)
    given = [NormalizedLandmarkList(each, visibility=sure) for each in (pose, moved)]
    inputs = {"NORM_LANDMARKS": [(0, given)], "IMAGE_SIZE": [(0, SIZE)]}
    counts = []
    for gamma in (1.0, 60.0):
        text = pose_nms_text(PoseNmsParameters(gamma=gamma, match_threshold=0))
        (tmp_path / "nms.yaml").write_text(text)
        by_file = run_calculator(PoseNms, inputs, {"parameters": str(tmp_path / "nms.yaml")})
        by_options = run_calculator(PoseNms, inputs, yaml.safe_load(text))
        assert by_file["PICKS"] == by_options["PICKS"]
        counts.append(len(by_file["PICKS"][0][1]))
    assert counts == [1, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gama: 3", "which are delta1, delta2"),
        ("gamma: high", "gamma cannot be 'high'"),
        ("reference: mine", "reference cannot be 'mine'"),
        ("- 3", "does not hold parameters"),
        ("gamma: [", "cannot be read"),
    ],
)
def test_wrong_files_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "nms.yaml").write_text(text)
    with pytest.raises(ValueError, match=said):
        read_pose_nms(tmp_path / "nms.yaml")


def test_what_is_wrong_is_said(cli: Cli, tmp_path: Path) -> None:
    data, found = written(tmp_path, "fit", *people(1, 1, 3.0))
    strangers = tmp_path / "strangers.json"
    strangers.write_text(found.read_text().replace('"image_id": 1', '"image_id": 9'))
    for proposals, said in ((data, "is not a COCO results file"), (strangers, "must be the same")):
        outcome = cli("fit", "pose-nms", "--data", data, "--proposals", proposals, "-o", "x.yaml")
        assert outcome.code == 2
        assert said in " ".join(outcome.err.split())
        assert not (tmp_path / "x.yaml").exists()
