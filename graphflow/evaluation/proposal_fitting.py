"""Learns how detectors' boxes are off, for each atomic pose.

Source: Fang et al., "RMPE", ICCV 2017, section 3.4.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from graphflow.calculators.tracking.atomic_poses import AtomicPoses, torso_aligned

from .annotations import Annotations
from .proposals import ImageProposals

Doubles = npt.NDArray[np.float64]


def fit_proposals(
    annotations: Annotations,
    proposals: Mapping[int, ImageProposals],
    atoms: int = 30,
    min_overlap: float = 0.5,
    min_people: int = 10,
    seed: int = 0,
) -> AtomicPoses:
    """Groups the annotated poses by k-means, and takes mean and deviation of the boxes' offsets in each group.

    A proposal belongs to the person whose box it overlaps most, if by `min_overlap`. Keypoints that are not labelled
    are taken from the mean of all poses. Groups with fewer proposals than `min_people` get the numbers of all.

    Args:
        annotations: the truth, with boxes.
        proposals: what a detector found, by image.
        atoms: at most so many groups.
        min_overlap: intersection over union, 0..1.
        min_people: proposals that a group needs for numbers of its own.
        seed: of the first centres.

    Raises:
        ValueError: no proposal overlaps an annotated person whose torso is labelled.
    """
    from scipy.cluster.vq import kmeans2

    points, labelled, offsets = _matched(annotations, proposals, min_overlap)
    names = annotations.keypoint_names
    aligned, usable = torso_aligned(points, labelled, names)
    if not usable.any():
        raise ValueError("no proposal overlaps an annotated person whose shoulders and hips are labelled")
    aligned, labelled, offsets = aligned[usable], labelled[usable], offsets[usable]
    weights = labelled[..., None]
    average = (aligned * weights).sum(axis=0) / np.maximum(weights.sum(axis=0), 1)
    filled = np.where(weights, aligned, average).reshape(len(aligned), -1)
    count = min(atoms, len(np.unique(filled, axis=0)))
    centres, group = kmeans2(filled, count, minit="++", seed=seed, missing="raise" if count == 1 else "warn")
    kept = [number for number in range(count) if (group == number).any()]
    mean, deviation = np.zeros((len(kept), 4)), np.zeros((len(kept), 4))
    for row, number in enumerate(kept):
        own = offsets[group == number]
        source = own if len(own) >= min_people else offsets
        mean[row], deviation[row] = source.mean(axis=0), source.std(axis=0)
    people = np.array([(group == number).sum() for number in kept], np.int64)
    return AtomicPoses(names, centres[kept].reshape(len(kept), -1, 2), mean, deviation, people)


def _matched(
    annotations: Annotations, proposals: Mapping[int, ImageProposals], min_overlap: float
) -> tuple[Doubles, npt.NDArray[np.bool_], Doubles]:
    """For each proposal of somebody: their keypoints, which are labelled, and the offsets of its sides [N, 4]."""
    points, labelled, offsets = [], [], []
    for image in annotations.images:
        people = [person for person in image.people if not person.crowd and (person.box[2:] > 0).all()]
        found = proposals.get(image.image_id)
        if found is None or not people:
            continue
        truth = np.array([[*person.box[:2], *(person.box[:2] + person.box[2:])] for person in people])
        overlaps = _overlaps(found.boxes, truth)
        for row, owner in enumerate(overlaps.argmax(axis=1)):
            if overlaps[row, owner] < min_overlap:
                continue
            points.append(people[owner].keypoints[:, :2])
            labelled.append(people[owner].labelled)
            offsets.append((found.boxes[row] - truth[owner]) / np.tile(people[owner].box[2:], 2))
    count = len(annotations.keypoint_names)
    return (
        np.array(points, np.float64).reshape(-1, count, 2),
        np.array(labelled, np.bool_).reshape(-1, count),
        np.array(offsets, np.float64).reshape(-1, 4),
    )


def _overlaps(first: Doubles, second: Doubles) -> Doubles:
    """Intersection over union of boxes [N, 4] with boxes [M, 4]: float64 [N, M]."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (first, second)]
    union = areas[0][:, None] + areas[1][None] - common
    shares: Doubles = common / np.maximum(union, 1e-12)
    return shares
