"""MoveNet from pixels to keypoints: against recorded programs around LiteRT, and what it does when nobody is there."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from recordings import decode

import graphflow
from graphflow import Packet

Array = npt.NDArray[Any]
FRAME_US = 33333


def model(shared: Path) -> str:
    return str(shared / "data" / "models" / "movenet_single_pose_lightning_ptq.tflite")


def cases(shared: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((shared / "conformance" / "pose" / "movenet" / "cases.json").read_text())
    return document


def run(frames: list[Array], streams: tuple[str, ...], **params: Any) -> dict[str, list[Any]]:
    """What a run says of every frame, None where nothing was found."""
    graph = graphflow.load("movenet", params=params, num_threads=2)
    found: dict[str, list[Any]] = {stream: [None] * len(frames) for stream in streams}
    for stream in streams:

        def keep(packet: Packet, stream: str = stream) -> None:
            found[stream][packet.timestamp // FRAME_US] = packet.value

        graph.observe(stream, keep)
    graph.start()
    for number, frame in enumerate(frames):
        graph.add_packet("image", frame, number * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def keypoints(landmarks: list[Any]) -> Array:
    """float32 [frames, 17, 3]: y, x, score."""
    return np.array([np.column_stack([each.xyz[:, 1], each.xyz[:, 0], each.visibility]) for each in landmarks])


def as_box(rect: Any) -> tuple[float, float, float, float]:
    x, y, width, height, _ = rect
    return y - height / 2, x - width / 2, y + height / 2, x + width / 2


def of_input(points: Array, boxes: Array) -> Array:
    """Coordinates in parts of the crop, so that one spread of the model holds for crops of every size."""
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    inside: Array = (points[..., :2] - low) / (high - low)
    return inside


def test_images_find_what_the_recorded_programs_find(shared: Path) -> None:
    """The whole image once: letterboxing of the tutorial, the network, and keypoints taken back to the image."""
    document = cases(shared)
    limits = document["kernel_difference"]["xnnpack_vs_builtin"]["coordinates"]
    errors, confident = [], 0
    with np.load(shared / "conformance" / "pose" / "movenet" / "images.npz") as stored:
        for case in document["cases"]:
            if case["kind"] != "single image":
                continue
            bgr = cv2.imread(str(shared / "data" / case["params"]["image"]))
            assert bgr is not None
            frame = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
            found = run([frame], ("pose_landmarks", "crop"), model=model(shared), smooth_landmarks=False)
            box = np.array([as_box(found["crop"][0])])
            np.testing.assert_allclose(box[0], case["params"]["crop_region"], atol=1e-6)
            ours = keypoints(found["pose_landmarks"])
            theirs = stored[f"{case['id']}/out/crop_and_resize_keypoints"][None]
            sure = (ours[..., 2] > 0.3) & (theirs[..., 2] > 0.3)
            errors.append(np.abs(of_input(ours, box) - of_input(theirs, box))[sure].reshape(-1))
            confident += int(sure.sum())
    assert confident > 100
    assert np.percentile(np.concatenate(errors), 50) <= limits["p50"]
    assert np.percentile(np.concatenate(errors), 90) <= limits["p90"]


QUICK = (("pose_1.mp4", "tutorial"), ("sign_book.mkv", "tfjs_raw"))
VIDEOS = ("pose_1.mp4", "pose_squats.mp4", "sign_book.mkv")
TFJS = {"first_region": "central_square", "crop_smoothing": 0.9, "min_pose_score": 0.25}
PROGRAMS = [
    pytest.param(video, recorded, params, marks=() if (video, recorded) in QUICK else pytest.mark.slow)
    for video in VIDEOS
    for recorded, params in (("tutorial", {}), ("tfjs_raw", TFJS))
]


@pytest.mark.parametrize(("video", "recorded", "params"), PROGRAMS)
def test_videos_are_followed_as_the_recorded_programs_do(
    video: str, recorded: str, params: dict[str, Any], shared: Path
) -> None:
    document = cases(shared)
    case = next(case for case in document["cases"] if case["id"] == f"{video}_{recorded}")
    frames = decode(shared / "data" / "videos" / video)[: case["params"]["frames"]]
    found = run(frames, ("pose_landmarks", "crop"), model=model(shared), smooth_landmarks=False, **params)
    with np.load(shared / "conformance" / "pose" / "movenet" / "videos.npz") as stored:
        theirs, their_boxes = stored[f"{case['id']}/out/keypoints"], stored[f"{case['id']}/out/crop_region"]
    assert [landmarks is not None for landmarks in found["pose_landmarks"]] == np.isfinite(theirs[:, 0, 0]).tolist()
    ours, boxes = keypoints(found["pose_landmarks"]), np.array([as_box(rect) for rect in found["crop"]])
    np.testing.assert_allclose(boxes[0], their_boxes[0], atol=1e-6)

    # the crops hang on keypoints that steps of the network's output move: the spread holds for both
    limits = document["kernel_difference"]["xnnpack_vs_builtin"]["coordinates"]
    sure = (ours[..., 2] > 0.3) & (theirs[..., 2] > 0.3)
    assert sure.mean() > 0.3
    errors = np.abs(of_input(ours, boxes) - of_input(theirs, boxes))[sure]
    assert np.percentile(errors, 50) <= limits["p50"]
    assert np.percentile(errors, 90) <= limits["p90"]


def test_crop_follows_and_whole_image_without(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "pose_squats.mp4")[:4]
    followed = run(frames, ("crop",), model=model(shared))["crop"]
    assert followed[0].width > followed[1].width
    whole = run(frames, ("crop",), model=model(shared), follow=False)["crop"]
    assert all(rect == whole[0] for rect in whole)


def test_nobody_is_found_on_a_blank_image(shared: Path) -> None:
    frames = [np.zeros((96, 128, 3), np.uint8)] * 3
    found = run(frames, ("pose_landmarks", "crop", "overlay"), model=model(shared), min_pose_score=0.25)
    assert found["pose_landmarks"] == [None] * 3
    assert found["crop"][2] == found["crop"][0]
    assert all((overlay == 0).all() for overlay in found["overlay"])
