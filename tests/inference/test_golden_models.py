"""Models against what MediaPipe 0.10.21 answered on the same input tensors.

Compiled ones add as XNNPACK does, so their answers are the same to the last bit; ONNX Runtime's are near.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from graphflow.inference import open_session

RELATIVE = 1e-3
"""Of ONNX Runtime's answers, of the greatest value."""
SIGMOIDS = {"pose_out_flag": 1e-7}
"""Outputs behind a sigmoid, which is that of another mathematical library, and what they may differ by."""
ENGINES = {"compiled": ("cpu",), "onnxruntime": ("CPUExecutionProvider",)}

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
    """The recorded bytes as the model got them: a product and a sum that are rounded once."""
    values = image.astype(np.float64) * np.float64(np.float32(scale)) + offset
    return values.astype(np.float32)[np.newaxis]


def differs(engine: str, name: str, got: npt.NDArray[np.float32], wanted: npt.NDArray[np.floating]) -> str:
    """What is wrong with an output; "" where nothing is."""
    # some are recorded in half precision
    same = got.reshape(wanted.shape).astype(wanted.dtype)
    gap = abs(same.astype(np.float64) - wanted)
    if engine == "compiled":
        return (
            "" if gap.max() <= SIGMOIDS.get(name, 0.0) else f"{np.count_nonzero(gap)} values, by up to {gap.max():.2g}"
        )
    relative = gap.max() / abs(wanted.astype(np.float64)).max()
    return "" if relative <= RELATIVE else f"by {relative:.2g} of the range"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", DETECTORS)
def test_detector_gives_recorded_raw_outputs(model: str, engine: str, shared: Path) -> None:
    recorded = np.load(shared / "data/goldens/raw_detectors" / f"{model}.npz")
    images = sorted({key.split("/")[0] for key in recorded.files if key.endswith("/input")})
    session = open_session(model, providers=ENGINES[engine])
    assert images
    for image in images:
        outputs = session.run([tensor(recorded[f"{image}/input"], *DETECTORS[model])])
        for position, output in enumerate(outputs):
            assert not differs(engine, "", output, recorded[f"{image}/output{position}"]), f"{image}, output {position}"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("model", "source", "outputs"), LANDMARK_STAGES)
def test_landmark_model_gives_recorded_outputs(
    model: str, source: str, outputs: dict[int, str], engine: str, shared: Path
) -> None:
    session = open_session(model, tuple(outputs), providers=ENGINES[engine])
    compared = 0
    for path in sorted((shared / "data/goldens/stages").glob("*.npz")):
        recorded = np.load(path)
        for key in [key for key in recorded.files if key.startswith(source)]:
            frame = key[len(source) :]
            if any(name + frame not in recorded for name in outputs.values()):
                continue
            results = session.run([tensor(recorded[key])])
            for result, name in zip(results, outputs.values(), strict=True):
                assert not differs(engine, name, result, recorded[name + frame]), f"{path.name}, {name}{frame}"
                compared += 1
    assert compared >= 6
