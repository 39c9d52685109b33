"""Imported models against what MediaPipe 0.10.21 answered on the same input tensors."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from graphflow.inference import open_session

RELATIVE = 1e-3

# model: (scale, offset) of the recorded bytes, see shared/data/README.md
DETECTORS = {
    "pose_detection": (1 / 127.5, -1.0),
    "palm_detection_full": (1 / 255, 0.0),
    "face_detection_short_range": (1 / 127.5, -1.0),
}

# (model, name of the input in the stage files, {position of the output: its name there})
LANDMARK_STAGES = [
    ("pose_landmark_full", "pose_input", {0: "pose_out_landmarks", 1: "pose_out_flag", 4: "pose_out_world"}),
    ("pose_landmark_full", "pose_input", {3: "pose_out_heatmap"}),
    ("hand_recrop", "left_recrop_input", {0: "left_recrop_out"}),
    ("hand_recrop", "right_recrop_input", {0: "right_recrop_out"}),
    ("hand_landmark_full", "left_hand_input", {0: "left_hand_out"}),
    ("hand_landmark_full", "right_hand_input", {0: "right_hand_out"}),
    ("face_landmark", "face_input", {0: "face_out"}),
]


def tensor(image: npt.NDArray[np.uint8], scale: float = 1 / 255, offset: float = 0.0) -> npt.NDArray[np.float32]:
    return (image.astype(np.float32) * np.float32(scale) + np.float32(offset))[np.newaxis]


def relative_difference(got: npt.NDArray[np.float32], wanted: npt.NDArray[np.floating]) -> float:
    wanted = wanted.astype(np.float32)
    return float(np.abs(got.reshape(wanted.shape) - wanted).max() / np.abs(wanted).max())


@pytest.mark.parametrize("model", DETECTORS)
def test_detector_gives_recorded_raw_outputs(model: str, shared: Path) -> None:
    recorded = np.load(shared / "data/goldens/raw_detectors" / f"{model}.npz")
    images = sorted({key.split("/")[0] for key in recorded.files if key.endswith("/input")})
    session = open_session(model)
    assert images
    for image in images:
        outputs = session.run([tensor(recorded[f"{image}/input"], *DETECTORS[model])])
        for position, output in enumerate(outputs):
            difference = relative_difference(output, recorded[f"{image}/output{position}"])
            assert difference <= RELATIVE, f"{image}, output {position}"


@pytest.mark.parametrize(("model", "source", "outputs"), LANDMARK_STAGES)
def test_landmark_model_gives_recorded_outputs(model: str, source: str, outputs: dict[int, str], shared: Path) -> None:
    session = open_session(model, tuple(outputs))
    compared = 0
    for path in sorted((shared / "data/goldens/stages").glob("*.npz")):
        recorded = np.load(path)
        for key in [key for key in recorded.files if key.startswith(source)]:
            frame = key[len(source) :]
            if any(name + frame not in recorded for name in outputs.values()):
                continue
            results = session.run([tensor(recorded[key])])
            for result, name in zip(results, outputs.values(), strict=True):
                assert relative_difference(result, recorded[name + frame]) <= RELATIVE, f"{path.name}, {name}{frame}"
                compared += 1
    assert compared >= 6
