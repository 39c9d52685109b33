"""The holistic graph against MediaPipe's recorded answers over whole videos, and against itself across threads.

Comparisons from strict to whole:

- Every step of the loops: what a frame takes from the frame before is what MediaPipe recorded, the rest is the graph's
  own. All decisions (whether to detect, whom to follow, which region, whether a hand is there) have to be MediaPipe's.
- The parts of the graph, with their own loops, fed with what MediaPipe recorded before them.
- The whole graph. There the loops amplify the last bits of the networks' sums, as they do in MediaPipe itself:
  `PEER_SPREAD` says where MediaPipe misses the bar against itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import graphflow.graphs
import numpy as np
import pytest
import yaml
from graphflow.calculators.flow.split import take
from graphflow.calculators.payloads import NormalizedLandmarkList, NormalizedRect
from recorded_lists import recorded_images, recorded_video, run_images
from recordings import NO_PERSON, VIDEOS, Bar, Floats, decode, measure, run, shortfall

HANDS = {"left_hand_landmarks": (15, 17, 19), "right_hand_landmarks": (16, 18, 20)}
"""Each hand's wrist, pinky and index among the landmarks of the body."""
FACE = range(11)
"""The landmarks of the head."""
PARTS = ("pose_landmarks", *HANDS, "face_landmarks")
STREAMS = (*PARTS, "pose_world_landmarks")
PEER_SPREAD: Mapping[tuple[str, str], Bar] = {
    ("pose_1.mp4", "left_hand_landmarks"): Bar(0.074, 1.933, 0.9167),
    ("pose_1.mp4", "right_hand_landmarks"): Bar(0.267, 19.404, 0.9833),
    ("pose_squats.mp4", "pose_landmarks"): Bar(0.664, 3.092, 1.0),
    ("pose_squats.mp4", "left_hand_landmarks"): Bar(0.818, 7.864, 0.9231),
    ("pose_squats.mp4", "right_hand_landmarks"): Bar(0.217, 1.709, 0.9692),
    ("sign_again.mkv", "left_hand_landmarks"): Bar(0.384, 3.069, 0.9740),
    ("sign_again.mkv", "right_hand_landmarks"): Bar(0.291, 2.683, 0.9610),
    ("sign_help.mkv", "left_hand_landmarks"): Bar(0.215, 8.127, 0.9483),
    ("sign_help.mkv", "right_hand_landmarks"): Bar(0.841, 40.993, 0.9828),
    ("sign_book.mkv", "left_hand_landmarks"): Bar(0.399, 3.468, 0.9266),
    ("sign_book.mkv", "right_hand_landmarks"): Bar(0.887, 9.796, 0.8532),
    ("asl_hand.25fps.mp4", "pose_landmarks"): Bar(18.683, 75.912, 0.8000),
    ("asl_hand.25fps.mp4", "left_hand_landmarks"): Bar(3.706, 59.792, 0.9077),
    ("asl_hand.25fps.mp4", "right_hand_landmarks"): Bar(6.779, 46.055, 0.8677),
    ("hand_reach.mp4", "pose_landmarks"): Bar(95.762, 1291.679, 0.8663),
    ("hand_reach.mp4", "left_hand_landmarks"): Bar(34.084, 229.069, 0.6733),
    ("hand_reach.mp4", "right_hand_landmarks"): Bar(24.458, 39.942, 0.6287),
}
"""Where MediaPipe misses the bar against itself: the worst of 16 runs in which every region was moved and scaled by at
most a millionth of its size (`python -m benchmarks.peer_noise VIDEO --noise regions --seeds 16`). On five rows of the
videos with a person half of those runs miss it: the left hand of pose_1, pose_squats and sign_book, the right hand of
sign_help and sign_book."""
PEER_WORLD_SPREAD_MM: Mapping[str, float] = {"asl_hand.25fps.mp4": 117.2, "hand_reach.mp4": 377.8}
"""The same for the median distance of world landmarks."""
STEP = Bar(0.01, 0.05, 1.0)
"""Of single steps: with equal tensors the networks differ by some 0.001 px."""
STEP_WITHOUT_A_PERSON = Bar(0.01, 0.25, 1.0)
"""A region that differs in its last bits moves a body that is hardly there by some tenths of a pixel."""


def rectangles(recorded: Floats) -> list[NormalizedRect | None]:
    """Recorded rectangles as a stream."""
    return [None if np.isnan(row[0]) else NormalizedRect(*map(float, row)) for row in recorded]


def landmarks(recorded: Floats) -> list[NormalizedLandmarkList | None]:
    """Recorded landmarks as a stream, with visibility and presence where they were recorded."""
    return [
        None if np.isnan(row[0, 0]) else NormalizedLandmarkList(row[:, :3].copy(), *row[:, 3:].T.copy())
        for row in recorded
    ]


def taken(
    poses: Sequence[NormalizedLandmarkList | None], indices: Iterable[int]
) -> list[NormalizedLandmarkList | None]:
    """Some landmarks of each body."""
    return [None if pose is None else take(pose, indices) for pose in poses]


def with_recorded_past(module: str, node: str, port: str) -> str:
    """The text of a shipped module in which `port` of `node`, its past, is an input of the graph, `recorded`."""
    folder = Path(next(iter(graphflow.graphs.__path__)))
    graph = yaml.safe_load((folder / "modules" / f"{module}.yaml").read_text(encoding="utf-8"))
    graph["graph"] += "Step"
    graph["inputs"]["RECORDED"] = "recorded"
    inputs = graph["nodes"][node]["inputs"]
    inputs[port] = {**inputs[port], "stream": "recorded"} if isinstance(inputs[port], dict) else "recorded"
    return yaml.safe_dump(graph, sort_keys=False)


def misplaced(name: str, found: Sequence[NormalizedRect | None], recorded: Floats, bar: float = 1e-4) -> list[str]:
    """Says where regions are not on the recorded frames, or further than the bar from the recorded places."""
    missing = [rect is None for rect in found]
    if missing != list(np.isnan(recorded[:, 0])):
        return [f"{name}: on other frames"]
    gaps = [
        np.array([rect.x_center, rect.y_center, rect.width, rect.height, rect.rotation]) - row
        for rect, row in zip(found, recorded, strict=True)
        if rect is not None
    ]
    if not gaps:
        return []
    off = np.array(gaps)
    off[:, 4] = (off[:, 4] + np.pi) % (2 * np.pi) - np.pi
    worst = float(abs(off).max())
    print(f"{name}: regions within {worst:.2g}")
    return [f"{name}: {worst:.2g} from the recorded region"] if worst > bar else []


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_every_step_of_the_loops(video: str, shared: Path) -> None:
    """From MediaPipe's last frame to its next: the same decisions on every frame of every video."""
    frames, golden, sizes = recorded_video(shared, video, "holistic")
    bar = STEP_WITHOUT_A_PERSON if video in NO_PERSON else STEP
    failures = []

    body = with_recorded_past("pose_landmarks", "previous_roi", "LOOP")
    rects = ("pose_rect_from_detection", "pose_rect")
    past = {"recorded": rectangles(golden["pose_rect_from_landmarks"])}
    found = run(body, frames, ("pose_landmarks", "pose_rect_from_landmarks", *rects), past)
    for rect in rects:
        failures += misplaced(f"{video} {rect}", found[rect], golden[rect])
    following = found["pose_rect_from_landmarks"], golden["pose_rect_from_landmarks"]
    failures += misplaced(f"{video} pose_rect_from_landmarks", *following, 2e-3 if video in NO_PERSON else 1e-4)
    seen = measure(found["pose_landmarks"], golden["pose_landmarks"], sizes)
    failures += shortfall(video, "pose_landmarks, step by step", seen, bar)

    poses = landmarks(golden["pose_landmarks"])
    hand = with_recorded_past("hand_landmarks_from_pose", "tracking", "LANDMARKS")
    rects = ("hand_roi_from_pose", "hand_roi_from_recrop", "hand_tracking_roi")
    for part, indices in HANDS.items():
        fed = {"hand_landmarks_from_pose": taken(poses, indices), "recorded": landmarks(golden[part])}
        found = run(hand, frames, ("hand_landmarks", *rects), fed)
        side = part.split("_")[0]
        for rect in rects:
            failures += misplaced(f"{video} {side}_{rect}", found[rect], golden[f"{side}_{rect}"])
        seen = measure(found["hand_landmarks"], golden[part], sizes)
        failures += shortfall(video, f"{part}, step by step", seen, bar)

    face = with_recorded_past("face_landmarks_from_pose", "tracking", "LANDMARKS")
    fed = {"face_landmarks_from_pose": taken(poses, FACE), "recorded": landmarks(golden["face_landmarks"])}
    found = run(face, frames, ("face_landmarks",), fed)
    seen = measure(found["face_landmarks"], golden["face_landmarks"], sizes)
    failures += shortfall(video, "face_landmarks, step by step", seen, bar)
    assert not failures, "\n".join(failures)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_each_part_on_what_mediapipe_recorded_before_it(video: str, shared: Path) -> None:
    """Pose from the recorded region; hands and face, with their own loops, from the recorded pose."""
    frames, golden, sizes = recorded_video(shared, video, "holistic")
    pose = run("PoseLandmarksByRoi", frames, ("landmarks",), {"roi": rectangles(golden["pose_rect"])})
    seen = measure(pose["landmarks"], golden["pose_landmarks_unfiltered"], sizes)
    failures = shortfall(video, "pose from its region", seen, Bar(0.01, 0.1, 1.0))
    poses = landmarks(golden["pose_landmarks"])
    hands = run("HandLandmarksLeftAndRight", frames, tuple(HANDS), {"pose_landmarks": poses})
    for part in HANDS:
        failures += shortfall(video, f"{part} from the pose", measure(hands[part], golden[part], sizes), Bar())
    face = run("FaceLandmarksFromPose", frames, ("face_landmarks",), {"face_landmarks_from_pose": taken(poses, FACE)})
    seen = measure(face["face_landmarks"], golden["face_landmarks"], sizes)
    failures += shortfall(video, "face_landmarks from the pose", seen, Bar(0.1, 1.0, 0.97))
    assert not failures, "\n".join(failures)


def allowed(video: str, part: str) -> Bar:
    """The bar, or what MediaPipe differs from itself by where that is more."""
    bar = Bar(agreement=1.0) if part == "pose_landmarks" else Bar()
    peer = PEER_SPREAD.get((video, part), bar)
    return Bar(max(bar.median, peer.median), max(bar.p95, peer.p95), min(bar.agreement, peer.agreement))


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_the_whole_graph_says_what_mediapipe_says(video: str, shared: Path) -> None:
    frames, golden, sizes = recorded_video(shared, video, "holistic")
    found = run("holistic", frames, STREAMS)
    failures = []
    for part in PARTS:
        failures += shortfall(video, part, measure(found[part], golden[part], sizes), allowed(video, part))
    world = [
        np.linalg.norm(value.xyz - expected[:, :3], axis=1)
        for value, expected in zip(found["pose_world_landmarks"], golden["pose_world_landmarks"], strict=True)
        if value is not None and not np.isnan(expected[0, 0])
    ]
    millimetres = 1000 * float(np.median(np.concatenate(world)))
    print(f"{video} pose_world_landmarks: median {millimetres:.4f} mm")
    if millimetres > max(5.0, PEER_WORLD_SPREAD_MM.get(video, 0.0)):
        failures.append(f"{video}: world landmarks are off by {millimetres:.2f} mm")
    assert not failures, "\n".join(failures)


@pytest.mark.slow
def test_unrelated_images(shared: Path) -> None:
    """A run for each image: without loops nothing amplifies the last bits."""
    recorded = recorded_images(shared, "holistic")
    params = {"smooth_landmarks": False, "use_previous_landmarks": False}
    found = run_images("holistic", recorded.frames, PARTS, params)
    failures = []
    for part in PARTS:
        first = [items[0] if items else None for items in found[part]]
        seen = measure(first, recorded.golden[part], recorded.sizes)
        failures += shortfall("images", part, seen, Bar(0.1, 1.0, 0.95))
    assert not failures, "\n".join(failures)


def test_threads_change_nothing(shared: Path) -> None:
    frames = decode(shared / "data" / "videos" / "sign_walk.mkv")[:25]
    seen = set()
    for threads in (1, 4, 1, 4):
        found = run("holistic", frames, STREAMS, num_threads=threads)
        digest = hashlib.sha256()
        for stream in STREAMS:
            for value in found[stream]:
                digest.update(b"-" if value is None else value.xyz.tobytes())
        seen.add(digest.hexdigest())
    assert len(seen) == 1
