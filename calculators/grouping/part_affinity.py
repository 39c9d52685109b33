"""People out of confidence maps and part affinity fields: peaks, line integrals along limbs, assignment, assembly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from ..lazy import cv2, njit
from ..payloads import FloatArray
from .topology import OPENPOSE_18, LimbTopology

Indices: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AffinityParameters:
    """How peaks are found and joined.

    Attributes:
        peak_threshold: confidence that a peak must exceed.
        peak_distance_px: of peaks of one keypoint nearer than this the stronger stays, or the left one; 0 keeps all.
        stronger_peak: which of two near peaks stays.
        subpixel: place peaks at the centre of mass of the 7 x 7 pixels around them.
        field_threshold: a sample on a limb counts where the field along the limb exceeds this.
        share: part of the samples that must count.
        samples: on a limb; 0 takes sqrt(5 x longest side), 5 to 25, as OpenPose.
        near: keypoints nearer than sqrt(width x height) x this are taken as joined at the peak threshold.
        assignment: "optimal", the limbs with the largest sum of scores; "greedy", the best limb first.
        merge: a limb between two people that share no keypoint makes them one.
        min_parts: keypoints that a person must have.
        min_score: a person's score over its keypoints.
    """

    peak_threshold: float = 0.05
    peak_distance_px: float = 0.0
    stronger_peak: bool = True
    subpixel: bool = True
    field_threshold: float = 0.05
    share: float = 0.95
    samples: int = 0
    near: float = 1 / 150
    assignment: Literal["optimal", "greedy"] = "optimal"
    merge: bool = True
    min_parts: int = 3
    min_score: float = 0.4


OPENPOSE = AffinityParameters(assignment="greedy")
"""The numbers of OpenPose's C++, which joins the best limb first; the paper's assignment is optimal."""

LIGHTWEIGHT = AffinityParameters(
    peak_threshold=0.1,
    peak_distance_px=6.0,
    stronger_peak=False,
    subpixel=False,
    share=0.8,
    samples=10,
    near=0.0,
    assignment="greedy",
    merge=False,
    min_score=0.2,
)
"""Lightweight OpenPose in PyTorch: whole pixels, the left of two near peaks, and people that are never joined."""

PRESETS = {"paper": AffinityParameters(), "openpose": OPENPOSE, "lightweight": LIGHTWEIGHT}


@dataclass(frozen=True, slots=True, eq=False)
class GroupedPeople:
    """Peaks, and which of them belong together.

    Attributes:
        peaks: float32 [P, 3]: x, y in pixels of the maps, confidence; keypoint by keypoint.
        offsets: int64 [K + 1]: the peaks of keypoint k are offsets[k] to offsets[k + 1].
        people: int64 [N, K]: the peak of each keypoint, -1 without one.
        scores: float64 [N]: sum of the confidences and limb scores.
        parts: int64 [N]: keypoints joined by limbs that are not redundant.
    """

    peaks: FloatArray
    offsets: Indices
    people: Indices
    scores: npt.NDArray[np.float64]
    parts: Indices


def enlarged(maps: FloatArray, factor: float) -> FloatArray:
    """Maps [C, H, W] enlarged by bicubic interpolation, as OpenPose does before it looks for peaks."""
    if factor == 1 or not len(maps):
        return maps
    width, height = round(maps.shape[2] * factor), round(maps.shape[1] * factor)
    larger = np.empty((len(maps), height, width), np.float32)
    for source, target in zip(np.ascontiguousarray(maps, np.float32), larger, strict=True):
        cv2.resize(source, (width, height), dst=target, interpolation=cv2.INTER_CUBIC)
    return larger


def find_peaks(
    heatmaps: FloatArray, parameters: AffinityParameters = AffinityParameters()
) -> tuple[FloatArray, Indices]:
    """Pixels higher than their neighbours.

    Args:
        heatmaps: float32 [K, H, W].
        parameters: what a peak is.

    Returns:
        peaks float32 [P, 3] (x, y, confidence), by keypoint and from left to right, and the int64 [K + 1] where each
        keypoint's begin.

    Raises:
        ValueError: the maps are not [K, H, W].

    Source: Cao et al., "OpenPose", 2019, section 3.1.
    """
    maps = _plain(heatmaps)
    found: list[FloatArray] = []
    for heatmap in maps:
        places = np.empty((max(heatmap.size // 2, 1), 3), np.float32)
        count = _peaks(heatmap, np.float32(parameters.peak_threshold), not parameters.subpixel, places)
        peaks = places[:count]
        peaks = peaks[np.argsort(peaks[:, 0], kind="stable")]
        if parameters.peak_distance_px > 0 and len(peaks) > 1:
            peaks = _apart(peaks, parameters.peak_distance_px, parameters.stronger_peak)
        if parameters.subpixel:
            peaks = peaks.copy()
            _to_centres_of_mass(heatmap, peaks)
        found.append(peaks)
    offsets = np.concatenate([[0], np.cumsum([len(peaks) for peaks in found], dtype=np.int64)]).astype(np.int64)
    return np.concatenate([np.zeros((0, 3), np.float32), *found]), offsets


def limb_scores(
    begins: FloatArray, ends: FloatArray, field: FloatArray, parameters: AffinityParameters = AffinityParameters()
) -> FloatArray:
    """How well the field runs along the line from each begin to each end.

    Args:
        begins: float32 [A, 3], peaks of one keypoint.
        ends: float32 [B, 3], peaks of the other.
        field: float32 [2, H, W], x and y.
        parameters: of the integral.

    Returns:
        float32 [A, B]: the mean of the samples that count; 0 where too few do.

    Source: Cao et al., "OpenPose", 2019, section 3.2, equation 11.
    """
    height, width = field.shape[1:]
    samples = parameters.samples
    scores = np.zeros((len(begins), len(ends)), np.float32)
    numbers = np.array(
        [parameters.field_threshold, parameters.share, parameters.near * math.sqrt(width * height)], np.float32
    )
    near_score = np.float32(parameters.peak_threshold)
    _integrals(_points(begins), _points(ends), _plain(field), samples, numbers, near_score, scores)
    return scores


def group_people(
    heatmaps: FloatArray,
    fields: FloatArray,
    topology: LimbTopology = OPENPOSE_18,
    parameters: AffinityParameters = AffinityParameters(),
) -> GroupedPeople:
    """Everybody in the maps of one image.

    Args:
        heatmaps: float32 [K, H, W], confidence of each keypoint.
        fields: float32 [C, H, W], as the topology numbers them.
        topology: the limbs.
        parameters: how peaks are found and joined.

    Raises:
        ValueError: the maps do not go with the topology.

    Source: Cao et al., "OpenPose", 2019, section 3.
    """
    needed = 1 + max(max(pair) for pair in topology.channels)
    if len(heatmaps) != len(topology.keypoints) or len(fields) < needed or heatmaps.shape[1:] != fields.shape[1:]:
        raise ValueError(
            f"{len(topology.keypoints)} heatmaps and {needed} field maps of one size are needed; here are "
            f"{list(heatmaps.shape)} and {list(fields.shape)}"
        )
    peaks, offsets = find_peaks(heatmaps, parameters)
    people: list[_Person] = []
    for number, ((a, b), channels) in enumerate(zip(topology.limbs, topology.channels, strict=True)):
        begins, ends = peaks[offsets[a] : offsets[a + 1]], peaks[offsets[b] : offsets[b + 1]]
        if not len(begins) or not len(ends):
            continue
        field = np.stack([fields[channels[0]], fields[channels[1]]])
        for i, j, score in _assigned(limb_scores(begins, ends, field, parameters), parameters.assignment):
            joined = (a, int(offsets[a]) + i), (b, int(offsets[b]) + j)
            if number in topology.redundant:
                _fill(people, *joined)
            else:
                _join(people, *joined, score, peaks, parameters.merge)
    kept = [
        person
        for person in people
        if person.parts >= parameters.min_parts and person.score / person.parts >= parameters.min_score
    ]
    members = np.full((len(kept), len(topology.keypoints)), -1, np.int64)
    for row, person in enumerate(kept):
        members[row, list(person.peaks)] = list(person.peaks.values())
    return GroupedPeople(
        peaks,
        offsets,
        members,
        np.array([person.score for person in kept], np.float64),
        np.array([person.parts for person in kept], np.int64),
    )


@dataclass(slots=True, eq=False)
class _Person:
    peaks: dict[int, int]  # of keypoints
    score: float
    parts: int


def _assigned(scores: FloatArray, assignment: str) -> list[tuple[int, int, float]]:
    """Pairs that no keypoint is in twice, the best first."""
    if assignment == "optimal":
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(-scores)
    else:
        rows, columns = _greedy(scores)
    pairs = [(int(i), int(j), float(scores[i, j])) for i, j in zip(rows, columns, strict=True) if scores[i, j] > 0]
    return sorted(pairs, key=lambda pair: -pair[2])


def _greedy(scores: FloatArray) -> tuple[list[int], list[int]]:
    rows: list[int] = []
    columns: list[int] = []
    for flat in np.argsort(-scores, axis=None, kind="stable"):
        i, j = divmod(int(flat), scores.shape[1])
        if i not in rows and j not in columns:
            rows.append(i)
            columns.append(j)
    return rows, columns


def _join(
    people: list[_Person], begin: tuple[int, int], end: tuple[int, int], score: float, peaks: FloatArray, merge: bool
) -> None:
    (a, i), (b, j) = begin, end
    if not merge:  # whoever has the begin takes the end, even in place of another
        holders = [person for person in people if person.peaks.get(a) == i]
        for person in holders:
            person.peaks[b] = j
            person.parts += 1
            person.score += float(peaks[j, 2]) + score
        if holders:
            return
    else:
        holders = [person for person in people if person.peaks.get(a) == i or person.peaks.get(b) == j]
    if not holders:
        people.append(_Person({a: i, b: j}, float(peaks[i, 2]) + float(peaks[j, 2]) + score, 2))
        return
    first = holders[0]
    if len(holders) == 1:
        for keypoint, peak in (begin, end):
            if keypoint not in first.peaks:
                first.peaks[keypoint] = peak
                first.parts += 1
                first.score += float(peaks[peak, 2]) + score
    elif not first.peaks.keys() & holders[1].peaks.keys():
        first.peaks.update(holders[1].peaks)
        first.parts += holders[1].parts
        first.score += holders[1].score + score
        people.remove(holders[1])


def _fill(people: list[_Person], begin: tuple[int, int], end: tuple[int, int]) -> None:
    for person in people:
        for (known, peak), (missing, other) in ((begin, end), (end, begin)):
            if person.peaks.get(known) == peak and missing not in person.peaks:
                person.peaks[missing] = other
                break


def _plain(maps: FloatArray) -> FloatArray:
    if maps.ndim != 3:
        raise ValueError(f"maps are [C, H, W], not {list(maps.shape)}")
    plain = np.ascontiguousarray(maps, np.float32).view()
    plain.flags.writeable = False
    return plain


def _points(peaks: FloatArray) -> FloatArray:
    return np.ascontiguousarray(peaks[:, :2], np.float32)


def _apart(peaks: FloatArray, distance: float, stronger: bool) -> FloatArray:
    """Peaks that are not nearer than `distance` to one before them: by strength, or from left to right."""
    order = np.argsort(-peaks[:, 2], kind="stable") if stronger else np.arange(len(peaks))
    kept: list[int] = []
    for candidate in order:
        if all(math.dist(peaks[candidate, :2], peaks[other, :2]) >= distance for other in kept):
            kept.append(int(candidate))
    return peaks[sorted(kept)]


@njit(cache=True, nogil=True, error_model="numpy")
def _peaks(heatmap: FloatArray, threshold: np.float32, from_threshold: bool, places: FloatArray) -> int:
    """Fills in pixels above all four neighbours (eight where `from_threshold` is off); returns how many.

    `from_threshold`: pixels at the threshold count, and lower ones are 0; the map goes on as 0 outside.
    """
    height, width = heatmap.shape
    count = 0
    zero = np.float32(0)
    for y in range(height):
        for x in range(width):
            value = heatmap[y, x]
            if not (value >= threshold if from_threshold else value > threshold) or value <= zero:
                continue
            higher = True
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    if (dx == 0 and dy == 0) or (from_threshold and dx != 0 and dy != 0):
                        continue
                    r, c = y + dy, x + dx
                    if 0 <= r < height and 0 <= c < width and heatmap[r, c] >= value:
                        higher = False
            if higher and count < len(places):
                places[count, 0], places[count, 1], places[count, 2] = x, y, value
                count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _to_centres_of_mass(heatmap: FloatArray, peaks: FloatArray) -> None:
    height, width = heatmap.shape
    for p in range(len(peaks)):
        column, row = int(peaks[p, 0]), int(peaks[p, 1])
        total = across = down = 0.0
        for y in range(max(0, row - 3), min(height, row + 4)):
            for x in range(max(0, column - 3), min(width, column + 4)):
                weight = heatmap[y, x]
                if weight > 0:
                    total += weight
                    across += weight * x
                    down += weight * y
        if total > 0:
            peaks[p, 0], peaks[p, 1] = across / total, down / total


@njit(cache=True, nogil=True, error_model="numpy")
def _integrals(
    begins: FloatArray,
    ends: FloatArray,
    field: FloatArray,
    samples: int,
    numbers: FloatArray,
    near_score: np.float32,
    scores: FloatArray,
) -> None:
    threshold, share, near = numbers
    height, width = field.shape[1:]
    for i in range(len(begins)):
        for j in range(len(ends)):
            dx, dy = ends[j, 0] - begins[i, 0], ends[j, 1] - begins[i, 1]
            length = np.sqrt(dx * dx + dy * dy)
            if near > 0 and length < near:
                scores[i, j] = near_score
                continue
            count = samples
            if count == 0:
                longest = max(abs(dx), abs(dy))
                count = max(5, min(25, int(np.sqrt(np.float32(5) * longest) + np.float32(0.5))))
            step = np.float32(1.0 / (count - 1))
            ux, uy = dx / (length + np.float32(1e-6)), dy / (length + np.float32(1e-6))
            total, valid = np.float32(0), 0
            for n in range(count):
                x = int(np.rint(step * dx * np.float32(n) + begins[i, 0]))
                y = int(np.rint(step * dy * np.float32(n) + begins[i, 1]))
                x, y = min(max(x, 0), width - 1), min(max(y, 0), height - 1)
                along = field[0, y, x] * ux + field[1, y, x] * uy
                if along > threshold:
                    total += along
                    valid += 1
            if valid > share * count:
                scores[i, j] = total / (valid + 1e-6)
