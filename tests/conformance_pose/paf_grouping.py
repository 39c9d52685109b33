"""People out of part affinity fields."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from graphflow.calculators.grouping.part_affinity import LIGHTWEIGHT, enlarged, group_people
from graphflow.calculators.grouping.topology import OPENPOSE_18

from .cases import Case, differences

_PEAK, _SCORE = 1e-4, 1e-3


def _grouped(case: Case) -> Iterator[str]:
    topology = case.topic.document
    if [list(limb) for limb in OPENPOSE_18.limbs] != topology["limbs"]:
        yield "limbs: not ours"
    if [list(pair) for pair in OPENPOSE_18.channels] != topology["paf_channels"]:
        yield "paf_channels: not ours"
    factor = case.params["upsample"]
    maps, fields = (enlarged(case.input(name), factor) for name in ("heatmaps", "pafs"))
    found = group_people(maps, fields, OPENPOSE_18, LIGHTWEIGHT)
    peaks = np.column_stack([found.peaks, np.arange(len(found.peaks))])
    want = case.output("peaks").reshape(-1, 4)
    yield from differences("peaks' places", peaks[:, [0, 1, 3]], want[:, [0, 1, 3]])
    yield from differences("peaks' confidence", peaks[:, 2], want[:, 2], _PEAK)
    yield from differences("peaks_per_part", np.diff(found.offsets), case.output("peaks_per_part"))
    people = case.output("people").reshape(-1, 20)
    yield from differences("entries", found.people, people[:, :18])
    yield from differences("total scores", found.scores, people[:, 18], _SCORE)
    yield from differences("parts", found.parts, people[:, 19])


CHECKS = {"extract_keypoints + group_keypoints": _grouped}
