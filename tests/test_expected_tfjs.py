"""Values that the tests of tfjs-models state, within the tolerances they accept, wherever MediaPipe itself holds them.

tfjs-models runs the same networks in a browser, on two backends with tolerances of their own. What MediaPipe 0.10.21
misses is its distance from that project, not ours: those frames are counted and left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.tensor.ssd_anchors import SsdAnchors
from recordings import FRAME_US, Frames, decode

import graphflow
from graphflow import Packet
from graphflow.testing import run_calculator

Numbers = npt.NDArray[np.float64]

STILL = {"use_previous_landmarks": False}


class Case(NamedTuple):
    """Where the three answers to compare come from; arrays are [frames, points, coordinates].

    Attributes:
        expected: the stated values.
        peer: what MediaPipe says.
        ours: what the graph says.
        tolerances: the largest difference of a coordinate that each backend's test accepts.
    """

    expected: Numbers
    peer: Numbers
    ours: Numbers
    tolerances: Mapping[str, float]


def load(shared: Path, file: str) -> Any:
    return json.loads((shared / "data/expected/tfjs" / f"{file}.json").read_text())


def tolerances(shared: Path, models: str, measure: str) -> dict[str, float]:
    stated = load(shared, "expected_images")["tolerances"]
    return {name: values[measure] for name, values in stated.items() if name.startswith(models)}


def run(name: str, frames: Frames, streams: tuple[str, ...], params: Mapping[str, Any]) -> dict[str, list[Any]]:
    """What a graph says for each frame; a list of hands or faces for the graphs of several, None for nothing."""
    graph = graphflow.load(name, params=params, prune=True)
    found: dict[str, list[Any]] = {stream: [None] * len(frames) for stream in streams}

    def keep(stream: str) -> Callable[[Packet], None]:
        def record(packet: Packet) -> None:
            found[stream][packet.timestamp // FRAME_US - 1] = packet.value

        return record

    for stream in streams:
        graph.observe(stream, keep(stream))
    graph.start()
    for index, frame in enumerate(frames):
        graph.add_packet("image", frame, (index + 1) * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def image(shared: Path, name: str) -> Frames:
    picture = cv2.imread(str(shared / "data/images" / name))
    assert picture is not None
    return [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)]  # type: ignore[list-item]


def of_image(shared: Path, solution: str, name: str) -> dict[str, Any]:
    golden = np.load(shared / "data/goldens/images" / f"{solution}.npz")
    row = golden["names"].tolist().index(name)
    return {key: golden[key][row] for key in golden.files if "mask" not in key}


def pixels(landmarks: Any, frame: npt.NDArray[np.uint8]) -> Numbers:
    """[points, 2] of normalized landmarks, recorded or ours."""
    points = landmarks.xyz if hasattr(landmarks, "xyz") else landmarks
    return np.asarray(points[:, :2] * np.array([frame.shape[1], frame.shape[0]]), np.float64)


def pose_image(shared: Path) -> list[Case]:
    frames = image(shared, "pose.jpg")
    expected = load(shared, "expected_images")["pose_jpg"]
    peer = of_image(shared, "pose", "pose.jpg")
    ours = run("pose", frames, ("pose_landmarks", "pose_world_landmarks"), {**STILL, "smooth_landmarks": False})
    return [
        Case(
            np.array([expected["blazepose33_xy_px"]]),
            pixels(peer["pose_landmarks"], frames[0])[None],
            pixels(ours["pose_landmarks"][0], frames[0])[None],
            tolerances(shared, "blazepose", "image_px"),
        ),
        Case(
            np.array([expected["blazepose33_world_m"]]),
            peer["pose_world_landmarks"][None, :, :3],
            ours["pose_world_landmarks"][0].xyz[None],
            tolerances(shared, "blazepose", "image_world_m"),
        ),
    ]


def nearest(candidates: list[Numbers], expected: Numbers) -> Numbers:
    return min(candidates, key=lambda points: float(abs(points - expected).max()))


def hands_image(shared: Path) -> list[Case]:
    frames = image(shared, "hands.jpg")
    expected = np.array(load(shared, "expected_images")["hands_jpg"]["hands21_xy_px"], np.float64)
    (found,) = run("hands", frames, ("multi_hand_landmarks",), STILL)["multi_hand_landmarks"]
    both = of_image(shared, "hands", "hands.jpg")["multi_hand_landmarks"][:2], found
    assert len(found) == 2
    # each hand as one frame; which of them comes first is nobody's promise
    candidates = ([pixels(hand, frames[0]) for hand in hands] for hands in both)
    peer, ours = (np.stack([nearest(hands, stated) for stated in expected]) for hands in candidates)
    return [Case(expected, peer, ours, tolerances(shared, "hands", "image_px"))]


def face_image(shared: Path) -> list[Case]:
    frames = image(shared, "portrait.jpg")
    expected = load(shared, "expected_images")["portrait_jpg"]
    peer = pixels(of_image(shared, "face_mesh_refine", "portrait.jpg")["multi_face_landmarks"][0], frames[0])
    params = {**STILL, "refine_landmarks": True}
    ((face,),) = run("face_mesh", frames, ("multi_face_landmarks",), params)["multi_face_landmarks"]
    ours = pixels(face, frames[0])
    stated = {index: place for part in ("eye_points", "iris_points") for index, place in expected[part]}
    indices, accepted = list(stated), tolerances(shared, "face_mesh", "image_px")
    box = expected["face_box_px"]
    corners = np.array([[[box["xMin"], box["yMin"]], [box["xMax"], box["yMax"]]]], np.float64)
    peer_box, our_box = (np.stack((mesh[:468].min(axis=0), mesh[:468].max(axis=0)))[None] for mesh in (peer, ours))
    return [
        Case(np.array([list(stated.values())], np.float64), peer[None, indices], ours[None, indices], accepted),
        Case(corners, peer_box, our_box, accepted),
    ]


def video(shared: Path, file: str, models: str, graph: str, part: str, expected: str) -> list[Case]:
    """The first body or hand of every frame, in pixels and in metres."""
    frames = decode(shared / "data/videos" / file)
    golden = np.load(shared / "data/goldens/videos" / file / f"{graph}.npz")
    streams = (f"{part}_landmarks", f"{part}_world_landmarks")
    found = run(graph, frames, streams, {})
    cases = []
    for stream, suffix, measure in zip(streams, ("", "_3d"), ("video_px", "video_world_m"), strict=True):
        values = np.array(load(shared, f"{expected}{suffix}.full"), np.float64)
        recorded = golden[stream] if golden[stream].ndim == 3 else golden[stream][:, 0]
        firsts = [value[0] if isinstance(value, list) and value else value for value in found[stream]]
        ours = np.stack([recorded[0] * np.nan if not value else value.xyz for value in firsts])
        if measure == "video_px":
            size = np.array([frames[0].shape[1], frames[0].shape[0]])
            recorded, ours, values = recorded[..., :2] * size, ours[..., :2] * size, values[..., :2]
        cases.append(Case(values, recorded[..., : values.shape[2]], ours, tolerances(shared, models, measure)))
    return cases


def holds(found: Numbers, expected: Numbers, tolerance: float) -> npt.NDArray[np.bool_]:
    """For each frame whether every coordinate is near enough."""
    return np.asarray((abs(found - expected) <= tolerance).all(axis=(1, 2)))


def check(cases: list[Case]) -> None:
    for case in cases:
        for backend, tolerance in case.tolerances.items():
            peer, ours = (holds(found, case.expected, tolerance) for found in (case.peer, case.ours))
            worst = np.nanmax(abs(case.ours - case.expected))
            row = f"{backend}: of {len(peer)} MediaPipe holds {peer.sum()}, we {ours.sum()}"
            print(f"{row}; our largest difference is {worst:.4f}, accepted {tolerance}")
            missed = np.flatnonzero(peer & ~ours)
            assert not missed.size, f"{row}; not these: {missed.tolist()}"
        # at least one of the backends is within reach, or nothing was compared
        assert any(holds(case.peer, case.expected, tolerance).any() for tolerance in case.tolerances.values())


@pytest.mark.parametrize("cases", [pose_image, hands_image, face_image], ids=["pose", "hands", "face"])
def test_images(cases: Any, shared: Path) -> None:
    check(cases(shared))


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        ("pose_squats.mp4", "blazepose", "pose", "pose", "pose_squats"),
        ("asl_hand.25fps.mp4", "hands", "hands", "multi_hand", "asl_hand"),
    ],
    ids=["squats", "finger-spelling"],
)
def test_videos(arguments: tuple[str, str, str, str, str], shared: Path) -> None:
    check(video(shared, *arguments))


@pytest.mark.parametrize(
    ("file", "options"),
    [
        (
            "anchor_golden_file_0",
            {
                "num_layers": 5,
                "min_scale": 0.1171875,
                "max_scale": 0.75,
                "input_size_width": 256,
                "input_size_height": 256,
                "strides": [8, 16, 32, 32, 32],
                "aspect_ratios": [1.0],
                "fixed_anchor_size": True,
            },
        ),
        (
            "anchor_golden_file_1",
            {
                "num_layers": 6,
                "min_scale": 0.2,
                "max_scale": 0.95,
                "input_size_width": 300,
                "input_size_height": 300,
                "strides": [16, 32, 64, 128, 256, 512],
                "aspect_ratios": [1.0, 2.0, 0.5, 3.0, 0.3333],
                "reduce_boxes_in_lowest_layer": True,
            },
        ),
    ],
)
def test_anchors(file: str, options: dict[str, Any], shared: Path) -> None:
    """The golden files of MediaPipe's own test of the anchors, which both projects use."""
    expected = np.array(load(shared, file), np.float32)
    ((_, anchors),) = run_calculator(SsdAnchors, options=options)[""]
    np.testing.assert_allclose(anchors, expected, atol=1e-5)
