"""Runs graphs that answer lists (hands, faces, detections) on recorded media, and compares with what MediaPipe said."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from graphflow.calculators.payloads import Detection, NormalizedRect
from recordings import FRAME_US, Bar, Frames, decode

import graphflow
from graphflow import Packet

Lists = list[list[Any]]
"""For each frame what was found in it; empty where the stream had no packet."""

Floats = npt.NDArray[np.float32]


class Recorded(NamedTuple):
    """Frames and what MediaPipe said of them; sizes are width, height, float32 [N, 2]."""

    frames: Frames
    golden: Mapping[str, npt.NDArray[Any]]
    sizes: Floats


def recorded_video(shared: Path, video: str, solution: str, count: int | None = None) -> Recorded:
    """The first `count` frames of a video, all by default, and the golden of a solution."""
    frames = decode(shared / "data" / "videos" / video)[:count]
    return _recorded(shared / "data" / "goldens" / "videos" / video / f"{solution}.npz", frames)


def recorded_images(shared: Path, solution: str) -> Recorded:
    """All images, and the golden of a solution."""
    file = shared / "data" / "goldens" / "images" / f"{solution}.npz"
    paths = [str(shared / "data" / "images" / name) for name in np.load(file)["names"]]
    return _recorded(file, [cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) for path in paths])


def _recorded(file: Path, frames: Frames) -> Recorded:
    with np.load(file) as arrays:
        golden = {name: arrays[name][: len(frames)] for name in arrays.files if "mask" not in name}
    digests = [hashlib.sha256(frame.tobytes()).hexdigest()[:16] for frame in frames]
    assert digests == list(golden["frame_rgb_sha256_16"]), "another decoder: no comparison would mean anything"
    return Recorded(frames, golden, golden["image_size_wh"].astype(np.float32))


def run_video(
    name: str,
    frames: Frames,
    streams: tuple[str, ...],
    params: Mapping[str, Any] | None = None,
    fed: Mapping[str, list[Any]] | None = None,
) -> dict[str, Lists]:
    """What a graph says of each frame of a video; `fed` gives the values of inputs besides the image."""
    graph = graphflow.load(name, params=params, prune=True)
    found: dict[str, Lists] = {stream: [[] for _ in frames] for stream in streams}
    for stream in streams:
        graph.observe(stream, _keep(found[stream], lambda packet: packet.timestamp // FRAME_US - 1))
    graph.start()
    for index, frame in enumerate(frames):
        graph.add_packet("image", frame, (index + 1) * FRAME_US)
        for stream, values in (fed or {}).items():
            graph.add_packet(stream, values[index], (index + 1) * FRAME_US)
    graph.close_all_inputs()
    graph.wait_until_done()
    return found


def run_images(
    name: str, frames: Frames, streams: tuple[str, ...], params: Mapping[str, Any] | None = None
) -> dict[str, Lists]:
    """What a graph says of images that have nothing to do with each other: a run for each."""
    graph = graphflow.load(name, params=params, prune=True)
    found: dict[str, Lists] = {stream: [[] for _ in frames] for stream in streams}
    now = 0
    for stream in streams:
        graph.observe(stream, _keep(found[stream], lambda packet: now))
    for now, frame in enumerate(frames):  # noqa: B007 - the observers read it
        graph.start()
        graph.add_packet("image", frame, FRAME_US)
        graph.close_all_inputs()
        graph.wait_until_done()
    return found


def _keep(lists: Lists, index_of: Callable[[Packet], int]) -> Callable[[Packet], None]:
    def record(packet: Packet) -> None:
        lists[index_of(packet)] = packet.value if isinstance(packet.value, list) else [packet.value]

    return record


def counts(recorded: npt.NDArray[Any]) -> list[int]:
    """How many of each frame's rows [N, M, …] are there; the others are NaN."""
    flat = recorded.reshape(*recorded.shape[:2], -1)
    return np.isfinite(flat[..., 0]).sum(axis=1).tolist()  # type: ignore[no-any-return]


def measure(found: Lists, recorded: npt.NDArray[Any], sizes: Floats) -> Bar:
    """How far points are from those recorded, item by item in their order, in frames with equally many.

    Args:
        found: landmarks or detections; of the latter box corner, box size and keypoints are compared.
        recorded: [N, M, points, 3] landmarks or [N, M, 5 + 2 * keypoints] detections; NaN where there is none.
        sizes: of the frames.
    """
    expected = counts(recorded)
    distances = [np.zeros(0)]
    for items, count, rows, size in zip(found, expected, recorded, sizes, strict=True):
        for item, row in zip(items, rows, strict=False):
            if len(items) == count:
                distances.append(np.linalg.norm((_points(item) - _recorded_points(row)) * size, axis=1))
    gaps = np.concatenate(distances)
    agreement = float(np.mean([len(items) == count for items, count in zip(found, expected, strict=True)]))
    if not len(gaps):
        return Bar(0.0, 0.0, agreement)
    return Bar(float(np.median(gaps)), float(np.percentile(gaps, 95)), agreement)


def _points(item: Any) -> Floats:
    if isinstance(item, Detection):
        assert item.box is not None
        return np.concatenate((item.box.reshape(2, 2), item.keypoints))
    points: Floats = item.xyz[:, :2]
    return points


def _recorded_points(row: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return row[:, :2] if row.ndim == 2 else row[1:].reshape(-1, 2)


def paired(found: Lists, recorded: npt.NDArray[Any]) -> list[tuple[Any, npt.NDArray[Any]]]:
    """Every item found beside the recorded one, of frames with equally many."""
    pairs: list[tuple[Any, npt.NDArray[Any]]] = []
    for items, count, rows in zip(found, counts(recorded), recorded, strict=True):
        if len(items) == count:
            pairs += zip(items, rows[:count], strict=True)
    return pairs


def regions(recorded: npt.NDArray[Any]) -> list[list[NormalizedRect]]:
    """Recorded rectangles [N, M, 5] as a stream of lists."""
    return [
        [NormalizedRect(*map(float, row)) for row in rows[:count]]
        for rows, count in zip(recorded, counts(recorded), strict=True)
    ]
