"""Draws `filters.svg`, the picture of `filters.md`, and prints its table: python docs/filters.py VIDEO

The video is filmed by a still camera at 30 frames a second and shows one person who moves and stands still by turns;
the page's is `pose_1.mp4`. Only curves are drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from graphflow.calculators.filters.low_pass import LowPassFilter
from graphflow.calculators.filters.one_euro import OneEuroFilter
from graphflow.calculators.filters.relative_velocity import RelativeVelocityFilter
from graphflow.calculators.filters.savitzky_golay import CausalSavitzkyGolay, smooth

from graphflow.testing import run_graph

mpl.use("svg")
import matplotlib.pyplot as plt

PICTURE: Final = Path(__file__).with_suffix(".svg")
STEP_US: Final = 33_333
FRAMES: Final = 240
SETTLED: Final = 15
"""Frames at the start that do not count."""

Trajectory: TypeAlias = npt.NDArray[np.float64]
Filter: TypeAlias = Callable[[Trajectory], Trajectory]


def landmarks(video: Path) -> Trajectory:
    """The unsmoothed landmarks of a video's person in pixels: [T, 66], x and y of 33."""
    capture = cv2.VideoCapture(str(video))
    images: list[tuple[int, npt.NDArray[np.uint8]]] = []
    while len(images) < FRAMES:
        found, frame = capture.read()
        if not found:
            break
        images.append((len(images) * STEP_US, np.ascontiguousarray(frame[..., ::-1])))
    height, width = images[0][1].shape[:2]
    answers = run_graph("pose", {"image": images}, params={"smooth_landmarks": False}, outputs=["pose_landmarks"])
    points = [value.xyz[:, :2] * (width, height) for _, value in answers["pose_landmarks"]]
    return np.array(points, np.float64).reshape(len(points), -1)


def jitter(trajectory: Trajectory, truth: Trajectory) -> float:
    """How much what hardly moves shakes: root mean square of second differences where the truth is slow, px."""
    speed = np.abs(np.gradient(truth, axis=0))[SETTLED + 1 : -SETTLED - 1]
    shaking = np.diff(trajectory[SETTLED : len(trajectory) - SETTLED], 2, axis=0)
    return float(np.sqrt((shaking[speed < np.median(speed)] ** 2).mean()))


def lag(trajectory: Trajectory, truth: Trajectory) -> float:
    """The shift in time that brings a trajectory nearest to the truth, in milliseconds."""
    times = np.arange(len(truth))
    inside = slice(SETTLED, len(truth) - SETTLED)
    shifts = np.arange(-3, 15, 0.05)
    errors = []
    for shift in shifts:
        moved = np.array([np.interp(times - shift, times, column) for column in truth.T]).T
        errors.append(((trajectory[inside] - moved[inside]) ** 2).mean())
    return float(shifts[int(np.argmin(errors))]) * STEP_US / 1000


def frame_by_frame(make: Callable[[], object]) -> Filter:
    """A filter with memory as a function of a whole trajectory."""

    def run(trajectory: Trajectory) -> Trajectory:
        memory = make()
        out = []
        for frame, row in enumerate(trajectory):
            if isinstance(memory, LowPassFilter):
                out.append(memory.apply(row.astype(np.float32)))
            elif isinstance(memory, CausalSavitzkyGolay):
                smoothed = memory.apply(frame * STEP_US, row)
                out.append(row if smoothed is None else smoothed)
            elif isinstance(memory, OneEuroFilter | RelativeVelocityFilter):
                scale = 1.0 / np.ptp(row[1::2])  # one over the person's height, as the pose graph has it
                out.append(memory.apply((frame + 1) * STEP_US, row.astype(np.float32), float(scale)))
        return np.array(out, np.float64)

    return run


FAMILIES: Final[dict[str, list[tuple[str, Filter]]]] = {
    "low-pass": [
        (f"alpha {alpha}", frame_by_frame(lambda a=alpha: LowPassFilter(a)))  # type: ignore[misc]
        for alpha in (0.8, 0.6, 0.4, 0.3, 0.2, 0.1)
    ],
    "one-euro": [
        (f"min_cutoff 0.05, beta {beta}", frame_by_frame(lambda b=beta: OneEuroFilter(30.0, 0.05, b, 1.0)))  # type: ignore[misc]
        for beta in (400, 80, 40, 20, 10, 5)
    ],
    "velocity": [
        (f"velocity_scale {scale}", frame_by_frame(lambda s=scale: RelativeVelocityFilter(5, s)))  # type: ignore[misc]
        for scale in (40, 20, 10, 5, 2.5, 1.5)
    ],
    "Savitzky-Golay, causal": [
        (f"window {window}, order 2", frame_by_frame(lambda w=window: CausalSavitzkyGolay(w, 2)))  # type: ignore[misc]
        for window in (5, 7, 11, 15, 21)
    ],
    "Savitzky-Golay, centred": [
        (f"window {window}, order 2", lambda values, w=window: smooth(values, w, 2))  # type: ignore[misc]
        for window in (5, 7, 11, 15, 21)
    ],
}


def main(video: Path) -> None:
    """Measures, prints the table, draws the picture."""
    raw = landmarks(video)
    truth = smooth(raw, 9, 3)
    shaking = jitter(raw, truth)
    sys.stdout.write(f"{len(raw)} frames; unsmoothed: jitter {shaking:.2f} px\n\n")
    sys.stdout.write("| filter | setting | jitter left | lag |\n| --- | --- | ---: | ---: |\n")
    figure, axes = plt.subplots(figsize=(7.5, 4.5))
    for family, settings in FAMILIES.items():
        places = []
        for name, run in settings:
            smoothed = run(raw)
            share, late = 100 * jitter(smoothed, truth) / shaking, lag(smoothed, truth)
            waits = int(name.split()[1].rstrip(",")) // 2 * STEP_US / 1000 if "centred" in family else 0.0
            places.append((late + waits, share))
            said = f"{late:.0f} ms, known {waits:.0f} ms late" if waits else f"{late:.0f} ms"
            sys.stdout.write(f"| {family} | {name} | {share:.0f} % | {said} |\n")
        axes.plot(*zip(*places, strict=True), "o--" if "centred" in family else "o-", label=family, markersize=4)
    axes.plot([0], [100], "k*", label="unsmoothed")
    axes.set_xlabel("lag, ms (centred: how late a value is known)")
    axes.set_ylabel("jitter left, % of the unsmoothed")
    axes.set_ylim(0, 105)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    plt.rcParams["svg.hashsalt"] = "graphflow"
    figure.savefig(PICTURE, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
