"""How far holistic is from itself when its image is a pixel or two wider or narrower at the sides.

    python tests/framing_noise.py ../shared [--seeds 16]

Each clip of the scenes of `test_side_by_side.py` is run alone as it is, and with at most two columns more or less of
its margins, another way for each seed. That is enough for the detector to begin with another region, which the filters
remember, and for the loops of the hands to go another way. Prints what `OWN_SPREAD` in `test_side_by_side.py` holds,
the farthest that any two of these runs are apart.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from people_scenes import BODY, HANDS, Frame, side_by_side
from test_many_people import signers
from test_side_by_side import alone, apart

COLUMNS = 2
SCENES = ((4, 0), (2, 60), (3, 60), (4, 60))
"""People and drift in pixels; standing still, the clips are the same for any number of people."""


def framed(frames: list[Frame], left: int, right: int) -> list[Frame]:
    """Frames with so many columns more at the sides, which go on as the edge, or less where negative."""
    sides = 0, 0, max(left, 0), max(right, 0)
    wider = [np.asarray(cv2.copyMakeBorder(frame, *sides, cv2.BORDER_REPLICATE), np.uint8) for frame in frames]
    return [np.ascontiguousarray(frame[:, max(-left, 0) : frame.shape[1] - max(-right, 0)]) for frame in wider]


def spread(clip: list[Frame], seeds: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """For body and hands how far any two runs are apart at most: in torsos or palms, and in the share of frames."""
    random = np.random.default_rng(0)
    margins = [[0, 0], *random.integers(-COLUMNS, COLUMNS + 1, (seeds, 2)).tolist()]
    runs = [alone(framed(clip, left, right), left) for left, right in margins]
    for stream in (BODY, *HANDS):
        pairs = [apart(one[stream], other[stream]) for one, other in combinations(runs, 2)]
        yield stream, (max(far for far, _ in pairs), max(lacking for _, lacking in pairs))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("shared", type=Path, help="the folder with data/videos")
    parser.add_argument("--seeds", type=int, default=16, help="how many runs with other margins")
    arguments = parser.parse_args()
    for people, drift_px in SCENES:
        for number, clip in enumerate(side_by_side(signers(arguments.shared, people, 58), drift_px).clips):
            for stream, (far, lacking) in spread(clip, arguments.seeds):
                print(f"({people}, {drift_px}, {number}, {stream!r}): ({far:.4f}, {lacking:.4f})", flush=True)


if __name__ == "__main__":
    main()
