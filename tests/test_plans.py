"""No pass of the plan changes what comes out: the holistic graph with each of them on and off."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import cv2
import pytest

import graphflow
from graphflow import Packet

LISTS = ("pose_landmarks", "pose_world_landmarks", "left_hand_landmarks", "right_hand_landmarks", "face_landmarks")


def found(frames: list[Any], **plan: Any) -> dict[str, list[tuple[int, bytes]]]:
    graph = graphflow.load("holistic", **plan)
    seen: dict[str, list[tuple[int, bytes]]] = {stream: [] for stream in LISTS}
    for stream, told in seen.items():

        def keep(packet: Packet, told: list[tuple[int, bytes]] = told) -> None:
            told.append((packet.timestamp, packet.value.xyz.tobytes()))

        graph.observe(stream, keep)
    graph.start()
    for number, frame in enumerate(frames):
        graph.add_packet("image", frame, number * 33_333)
    graph.close_all_inputs()
    graph.wait_until_done()
    return seen


@pytest.mark.parametrize("count", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_every_byte_is_the_same_with_each_pass_on_and_off(shared: Path, count: int) -> None:
    capture = cv2.VideoCapture(str(shared / "data" / "videos" / "sign_again.mkv"))
    frames = [cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB) for _ in range(count)]
    runs = [
        found(frames, prune=prune, fuse=fuse, num_threads=threads)
        for prune, fuse, threads in itertools.product((True, False), (True, False), (1, 4))
    ]
    assert all(len(runs[0][stream]) > count / 3 for stream in ("pose_landmarks", "face_landmarks"))
    assert all(run == runs[0] for run in runs)
