"""How long grouping takes on maps of 368 x 656, kernel by kernel beside the same in plain Python.

    python benchmarks/grouping.py [--people 6] [--repeats 20]

The maps are those of drawn people, enlarged to the image's size as OpenPose does. Times are processor time, the median
of interleaved repeats; the plain twins run once, they are slow.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from graphflow.calculators.grouping.associative_embedding import (
    TagParameters,
    aggregate_stages,
    group_by_tags,
    tag_peaks,
)
from graphflow.calculators.grouping.part_affinity import (
    PRESETS,
    AffinityParameters,
    enlarged,
    find_peaks,
    group_people,
    limb_scores,
)
from graphflow.calculators.grouping.topology import OPENPOSE_18

from graphflow.inference import open_session

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from calculators.grouping.test_kernels import twin_integral, twin_peaks
from drawn_people import drawn, openpose_network, standing, tag_network

WIDTH, HEIGHT = 656, 368


def _twin_tag_peaks(heatmap: Any, threshold: float, kernel: int) -> list[tuple[int, int]]:
    reach, (height, width) = kernel // 2, heatmap.shape
    found = []
    for y in range(height):
        for x in range(width):
            if heatmap[y, x] > threshold:
                around = heatmap[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
                if heatmap[y, x] >= max(map(max, around.tolist())):
                    found.append((x, y))
    return found


def _twin_fit(heatmap: Any, field: Any, tag: float) -> int:
    best, place = float("inf"), 0
    for number, (score, own) in enumerate(zip(heatmap.reshape(-1).tolist(), field.reshape(-1).tolist(), strict=True)):
        cost = round(abs(own - tag)) * 100 - score
        if cost < best:
            best, place = cost, number
    return place


def _milliseconds(call: Callable[[], object]) -> float:
    begin = time.process_time()
    call()
    return (time.process_time() - begin) * 1e3


def _beside(name: str, kernel: Callable[[], object], twin: Callable[[], object], repeats: int) -> None:
    kernel()  # compiles
    ours = statistics.median(_milliseconds(kernel) for _ in range(repeats))
    plain = _milliseconds(twin)
    print(f"  {name:32} {ours:9.3f} ms   plain Python {plain:10.1f} ms   {plain / ours:7.0f} x")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=6, help="drawn, 1 to 12")
    parser.add_argument("--repeats", type=int, default=20, help="of each kernel")
    given = parser.parse_args()
    scene = drawn(standing(given.people, WIDTH, HEIGHT, 1), WIDTH, HEIGHT)
    image = np.ascontiguousarray(scene.image.transpose(2, 0, 1)[None], np.float32)
    with tempfile.TemporaryDirectory() as folder:
        (answer,) = open_session(str(openpose_network(Path(folder) / "paf.onnx"))).run([image])
        stages = open_session(str(tag_network(Path(folder) / "ae.onnx"))).run([image])
    maps, fields = enlarged(answer[0, :18], 4), enlarged(answer[0, -38:], 4)
    heatmaps, tags = aggregate_stages([stages[0][0], stages[1][0]], size=(WIDTH, HEIGHT))
    print(f"{given.people} people, maps of {HEIGHT} x {WIDTH}")

    parameters = AffinityParameters()
    peaks, offsets = find_peaks(maps, parameters)
    begins, ends = peaks[offsets[1] : offsets[2]], peaks[offsets[8] : offsets[9]]
    field = np.stack([fields[channel] for channel in OPENPOSE_18.channels[6]])
    repeats = given.repeats
    _beside(
        "peaks of 18 maps", lambda: find_peaks(maps, parameters), lambda: [twin_peaks(m, 0.05) for m in maps], repeats
    )
    _beside(
        "line integrals of one limb",
        lambda: limb_scores(begins, ends, field, parameters),
        lambda: [twin_integral(begin, end, field, parameters) for begin in begins for end in ends],
        repeats,
    )
    _beside(
        "peaks of 17 maps for tags",
        lambda: [tag_peaks(heatmap) for heatmap in heatmaps],
        lambda: [_twin_tag_peaks(heatmap, 0.1, 5) for heatmap in heatmaps],
        repeats,
    )
    without = heatmaps.copy()
    without[9] = np.where(without[9] > 0.1, 0, without[9])
    filled, plain = TagParameters(), TagParameters(fill_missing=False)
    group_by_tags(without, tags, filled)
    both = [
        (
            _milliseconds(lambda: group_by_tags(without, tags, filled)),
            _milliseconds(lambda: group_by_tags(without, tags, plain)),
        )
        for _ in range(repeats)
    ]
    ours = max(statistics.median(a - b for a, b in both), 1e-3) / given.people
    twin = _milliseconds(lambda: _twin_fit(without[9], tags[0, 9], 1.0))
    print(f"  {'search for one missing joint':32} {ours:9.3f} ms   plain Python {twin:10.1f} ms   {twin / ours:7.0f} x")

    print("whole frames")
    for name, preset in PRESETS.items():
        frame = statistics.median(
            _milliseconds(lambda p=preset: group_people(maps, fields, OPENPOSE_18, p)) for _ in range(repeats)
        )  # type: ignore[misc]
        print(f"  part affinity, {name:17} {frame:9.2f} ms")
    larger = statistics.median(
        _milliseconds(lambda: (enlarged(answer[0, :18], 4), enlarged(answer[0, -38:], 4))) for _ in range(repeats)
    )
    print(f"  {'enlarging 56 maps before it':32} {larger:9.2f} ms")
    frame = statistics.median(_milliseconds(lambda: group_by_tags(heatmaps, tags)) for _ in range(repeats))
    print(f"  {'associative embedding':32} {frame:9.2f} ms")


if __name__ == "__main__":
    main()
