"""Identities over a whole file at once: the flow of people through it that fits poses and looks best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graphflow import Calculator, Context, Input, Option, Output

from ..lazy import cv2
from ..payloads import FloatArray, Image, NormalizedLandmarkList

Doubles = npt.NDArray[np.float64]

_BINS = (8, 8)
_REACH = 0.12  # of the person's size, at which a keypoint's share falls to 0.6 from one frame to the next


@dataclass(frozen=True, slots=True, eq=False)
class SeenPerson:
    """One person of one frame.

    Attributes:
        frame: number of the frame.
        keypoints: float64 [K, 2], px.
        scores: float64 [K], 0..1.
        looks: float64 [D], a histogram that sums to 1; empty where only poses count.
    """

    frame: int
    keypoints: Doubles
    scores: Doubles
    looks: Doubles


def link_people(
    people: Sequence[SeenPerson],
    window: int = 20,
    min_similarity: float = 0.3,
    decay: float = 0.95,
    looks_weight: float = 1.0,
    score_threshold: float = 0.3,
) -> list[int]:
    """The identities of everybody in a file, those that make the similarities along all tracks largest together.

    Everybody has at most one successor, within `window` frames, and at most one predecessor: that is a flow through the
    people of the file, and an assignment of people to their successors, which scipy solves.

    Args:
        people: of all frames.
        window: frames to look ahead, so that a track goes on behind what hides it.
        min_similarity: below this nobody follows anybody, 0..1.
        decay: of the similarity with each frame in between.
        looks_weight: of looks against poses.
        score_threshold: keypoints below this score do not count.

    Returns:
        for each person, in the order given, an identity from 1 on, in the order in which they first appear.

    Raises:
        ValueError: `window` is not positive.

    Source: Xiu et al., "Pose Flow", 2018, section 3.2, in the form of Zhang, Li, Nevatia, "Global Data Association for
    Multi-Object Tracking Using Network Flows", 2008.
    """
    if window < 1:
        raise ValueError(f"window must be at least 1, not {window}")
    count = len(people)
    if not count:
        return []
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    rows, columns, gains = list(range(count)), list(range(count, 2 * count)), [1.0] * count  # nobody follows
    by_frame: dict[int, list[int]] = {}
    for number, person in enumerate(people):
        by_frame.setdefault(person.frame, []).append(number)
    for number, person in enumerate(people):
        for step in range(1, window + 1):
            for later in by_frame.get(person.frame + step, ()):
                alike = similarity(person, people[later], looks_weight, score_threshold)
                gain = alike * decay ** (step - 1) - min_similarity
                if gain > 0:
                    rows.append(number)
                    columns.append(later)
                    gains.append(1.0 + gain)
    graph = coo_matrix((gains, (rows, columns)), shape=(count, 2 * count)).tocsr()
    found, following = min_weight_full_bipartite_matching(graph, maximize=True)
    before = {int(next_): int(number) for number, next_ in zip(found, following, strict=True) if next_ < count}
    ids = [0] * count
    known = 0
    for number in sorted(range(count), key=lambda each: people[each].frame):
        if number in before:
            ids[number] = ids[before[number]]
        else:
            known += 1
            ids[number] = known
    return ids


def similarity(person: SeenPerson, other: SeenPerson, looks_weight: float = 1.0, score_threshold: float = 0.3) -> float:
    """How alike two people are, 0..1: the mean of their poses' likeness and, weighted, of their looks'.

    Poses are compared on the scale of the first one's extent, more widely the more frames are between them; looks by
    the Bhattacharyya coefficient of histograms.
    """
    both = (person.scores >= score_threshold) & (other.scores >= score_threshold)
    pose = 0.0
    if both.any():
        steps = max(abs(other.frame - person.frame), 1)
        reach = _REACH * max(float(np.ptp(person.keypoints[both], axis=0).max()), 1.0) * np.sqrt(steps)
        apart = ((person.keypoints[both] - other.keypoints[both]) ** 2).sum(axis=1)
        pose = float(np.exp(-apart / (2 * reach**2)).mean())
    if not looks_weight or not len(person.looks) or len(person.looks) != len(other.looks):
        return pose
    return (pose + looks_weight * looks_alike(person.looks, other.looks)) / (1 + looks_weight)


def looks_alike(looks: Doubles, other: Doubles) -> float:
    """The Bhattacharyya coefficient of two histograms, 0..1; 0 where there is none.

    >>> looks_alike(np.array([0.5, 0.5]), np.array([0.5, 0.5])), looks_alike(np.zeros(0), np.ones(1))
    (1.0, 0.0)
    """
    return float(np.sqrt(looks * other).sum()) if len(looks) and len(looks) == len(other) else 0.0


def color_histogram(image: Image, keypoints_px: npt.NDArray[np.floating]) -> Doubles:
    """The hues and saturations inside the middle half of a person's extent: float64 [64], sums to 1, or is empty.

    Args:
        image: uint8 RGB.
        keypoints_px: [K, 2].
    """
    height, width = image.shape[:2]
    low, high = np.percentile(keypoints_px, [25, 75], axis=0)
    left, top = np.clip(np.floor(low), 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(high), 0, (width, height)).astype(int)
    part = image[top:bottom, left:right, :3]
    if part.size == 0:
        return np.zeros(0)
    colors = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([colors], [0, 1], None, list(_BINS), [0, 180, 0, 256]).reshape(-1).astype(np.float64)
    shares: Doubles = counts / counts.sum()
    return shares


class PoseFlowLinking(Calculator):
    """Gives the people of a file identities, once all of it was seen, so that those hidden for a while keep theirs.

    People are compared two by two, without regard to where they were going: who stands right behind somebody else may
    come out as that one, unless colours tell. IDS come out at the end of the stream, each at its own timestamp; for
    live sources there is `PoseFlowIdentities`.

    With IMAGE, colours count beside poses.

    Source: see `link_people`.
    """

    timestamp_offset = None

    landmarks = Input("NORM_LANDMARKS", list[NormalizedLandmarkList], "the people of the frame")
    image = Input("IMAGE", Image, "uint8 RGB, for their colours", optional=True)
    ids = Output("IDS", list[int], "one for each person, from 1 on")

    window: int = Option(20, "frames to look ahead")
    min_similarity: float = Option(0.3, "below this nobody follows anybody, 0..1")
    looks_weight: float = Option(1.0, "of colours against poses")

    def open(self, context: Context) -> None:
        self._people: list[SeenPerson] = []
        self._frames: list[tuple[int, int]] = []  # timestamp, how many people

    def process(self, context: Context) -> None:
        found: list[NormalizedLandmarkList] | None = context[self.landmarks]
        image = context[self.image]
        if found is None:
            return
        size = np.array([1.0, 1.0] if image is None else [image.shape[1], image.shape[0]])
        for person in found:
            points = person.xyz[:, :2].astype(np.float64) * (1000.0 if image is None else size)
            scores: FloatArray = np.ones(len(points), np.float32) if person.visibility is None else person.visibility
            looks = np.zeros(0) if image is None else color_histogram(image, points)
            self._people.append(SeenPerson(len(self._frames), points, scores.astype(np.float64), looks))
        self._frames.append((context.timestamp, len(found)))

    def close(self, context: Context) -> None:
        ids = link_people(self._people, self.window, self.min_similarity, looks_weight=self.looks_weight)
        begin = 0
        for timestamp, count in self._frames:
            context.emit(self.ids, ids[begin : begin + count], timestamp)
            begin += count
