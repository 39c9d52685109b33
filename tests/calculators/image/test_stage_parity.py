"""Model inputs from real frames and recorded regions, against the tensors MediaPipe fed its models.

The recorded tensors are byte images, so "equal" means the same bytes. What is asked for is at most 1 of 255 on any
pixel and equality on 99.9%; what the kernel does is equality on all of them, and that is what is tested.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.image.image_to_tensor import ImageToTensor
from graphflow.calculators.payloads import NormalizedRect

from graphflow.testing import run_calculator

Frame = npt.NDArray[np.uint8]

BYTES = {"output_tensor_float_range": {"min": 0, "max": 1}}
SIGNED = {"output_tensor_float_range": {"min": -1, "max": 1}}
PADDED = {"keep_aspect_ratio": True}
ZERO = {"border_mode": "BORDER_ZERO"}

# recorded input tensor -> the region it was cut from, and the options of the graph's node
STAGES: dict[str, tuple[str | None, dict[str, Any]]] = {
    "pose_detection_input": (None, {**SIGNED, **PADDED, **ZERO}),
    "pose_input": ("pose_rect", {**BYTES, **PADDED}),
    "left_recrop_input": ("left_hand_roi_from_pose", {**BYTES, **PADDED}),
    "right_recrop_input": ("right_hand_roi_from_pose", {**BYTES, **PADDED}),
    "left_hand_input": ("left_hand_tracking_roi", {**BYTES, **PADDED}),
    "right_hand_input": ("right_hand_tracking_roi", {**BYTES, **PADDED}),
    "face_detection_input": ("face_roi_from_pose", {**SIGNED, **PADDED, **ZERO}),
    "face_input": ("face_tracking_roi", BYTES),
}
DETECTORS = {
    "pose_detection": {**SIGNED, **PADDED, **ZERO},
    "palm_detection_full": {**BYTES, **PADDED, **ZERO},
    "face_detection_short_range": {**SIGNED, **PADDED, **ZERO},
}
SOURCES = (
    "business_person.png",
    "gesture_four_0c960166.jpg",
    "pose.jpg",
    "pose_1.mp4",
    "pose_squats.mp4",
    "sign_book.mkv",
    "sign_walk.mkv",
    "squat.bmp",
    "yoga.jpg",
)


def checked(image: Frame, digest: str) -> Frame:
    """The image as RGB, if it is the one the recording was made from."""
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    found = hashlib.sha256(rgb.tobytes()).hexdigest()[:16]
    assert found == digest, "another decoder: no comparison would mean anything"
    return rgb


def frames(shared: Path, source: str, recorded: Any) -> Iterator[tuple[int, Frame]]:
    """The recorded frames of a video or image, by number."""
    wanted = [int(number) for number in recorded["frames"]]
    digests = [str(digest) for digest in recorded["frame_rgb_sha256_16"]]  # of every frame up to the last wanted
    image = shared / "data/images" / source
    if image.exists():
        yield 0, checked(cv2.imread(str(image)), digests[0])
        return
    video = cv2.VideoCapture(str(shared / "data/videos" / source))
    try:
        for number in range(max(wanted) + 1):
            decoded, frame = video.read()
            assert decoded, f"{source} ends before frame {number}"
            if number in wanted:
                yield number, checked(frame, digests[number])
    finally:
        video.release()


def input_tensor(frame: Frame, rect: npt.NDArray[np.float32] | None, side: int, options: dict[str, Any]) -> Frame:
    """What ImageToTensor makes of a region, as the byte image the recording holds."""
    inputs: dict[str, list[tuple[int, Any]]] = {"IMAGE": [(0, frame)]}
    if rect is not None:
        inputs["NORM_RECT"] = [(0, NormalizedRect(*(float(value) for value in rect)))]
    sized = {**options, "output_tensor_width": side, "output_tensor_height": side}
    ((_, (tensor,)),) = run_calculator(ImageToTensor, inputs, sized, outputs=["TENSORS"])["TENSORS"]
    low, high = (options["output_tensor_float_range"][end] for end in ("min", "max"))
    values = (tensor[0].astype(np.float64) - low) * 255 / (high - low)
    bytes_ = np.rint(values).astype(np.uint8)
    np.testing.assert_allclose(values, bytes_, atol=1e-4)
    return bytes_


@pytest.mark.parametrize("source", SOURCES)
def test_input_tensors_of_every_stage(shared: Path, source: str) -> None:
    recorded = np.load(shared / f"data/goldens/stages/{source}.npz")
    compared = 0
    for number, frame in frames(shared, source, recorded):
        for stage, (region, options) in STAGES.items():
            golden = recorded.get(f"{stage}_{number:04d}")
            if golden is None:
                continue
            rect = None if region is None else recorded[f"roi_{region}_{number:04d}"]
            found = input_tensor(frame, rect, golden.shape[0], options)
            np.testing.assert_array_equal(found, golden, f"{stage} of frame {number}")
            compared += 1
    assert compared >= 3 * len(recorded["frames"])


@pytest.mark.parametrize("detector", DETECTORS)
def test_input_tensors_of_whole_images(shared: Path, detector: str) -> None:
    recorded = np.load(shared / f"data/goldens/raw_detectors/{detector}.npz")
    names = [key.removesuffix("/input") for key in recorded.files if key.endswith("/input")]
    for name, digest in zip(names, recorded["frame_rgb_sha256_16"], strict=True):
        golden = recorded[f"{name}/input"]
        frame = checked(cv2.imread(str(shared / "data/images" / name)), str(digest))
        found = input_tensor(frame, None, golden.shape[0], DETECTORS[detector])
        np.testing.assert_array_equal(found, golden, name)
