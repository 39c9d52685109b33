"""All scores of one graph on annotated images, from whom it found where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .annotations import AnnotatedImage, Annotations, TruePerson
from .metrics import COCO_LIMBS, Counts, end_point_error, pck_curve, pcp, torso_diameter
from .oks import COCO_SIGMAS, coco_keypoint_summary, oks
from .prediction import FoundPerson, Predictions

Doubles = npt.NDArray[np.float64]

THRESHOLDS = tuple(round(step * 0.02, 2) for step in range(26))
"""Of the curves, in reference lengths: 0 to 0.5."""

# similarity under which a found person is somebody else, or nobody
_SAME_PERSON = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """How good a graph is.

    Attributes:
        numbers: every figure by name; NaN where there was nothing to measure it on.
        curve: PCK by torso over `THRESHOLDS`, 0..1.
        joints: PCK by torso at 0.2 for each keypoint, 0..1; NaN where none was labelled.
        milliseconds: median over the images.
        cpu_milliseconds: median over the images, of all threads.
    """

    numbers: Mapping[str, float]
    curve: tuple[float, ...]
    joints: Mapping[str, float]
    milliseconds: float
    cpu_milliseconds: float


def score(annotations: Annotations, predictions: Predictions, *, coco: bool = True) -> Scores:
    """Score predictions.

    PCK, PCP, PDJ and end-point errors need to know who is who. A graph that finds one person is scored on the person it
    found, the annotated one of the highest similarity; where it found nobody, on the largest. A graph that finds many
    is scored on all: pairs are made by falling similarity, down to 0.1, and a person without one has all keypoints
    wrong. The end-point error is over those that were found. COCO's figures (`coco`) need faster-coco-eval.

    Raises:
        ImportError: `coco` is set and faster-coco-eval is missing; the message says how to install it.
    """
    pairs = [
        pair
        for image, people in zip(annotations.images, predictions.people, strict=True)
        for pair in _pairs(image, people, single=predictions.single)
    ]
    count = len(annotations.keypoint_names)
    truth = np.array([person.keypoints for person, _ in pairs]).reshape(-1, count, 3)
    labelled = truth[..., 2] > 0
    found = np.array([person is not None for _, person in pairs], np.bool_)
    places = np.array([person.keypoints[:, :2] if person else np.full((count, 2), 1e9) for _, person in pairs])
    places = places.reshape(-1, count, 2)
    numbers: dict[str, float] = {"people": float(len(pairs)), "found": float(found.mean()) if len(found) else np.nan}
    curve: tuple[float, ...] = (np.nan,) * len(THRESHOLDS)
    joints = dict.fromkeys(annotations.keypoint_names, np.nan)
    if count == len(COCO_SIGMAS):
        torso = np.where(labelled[:, [5, 12]].all(axis=1), torso_diameter(truth[..., :2]), 0.0)
        counts = pck_curve(places, truth[..., :2], labelled, torso, THRESHOLDS)
        curve = tuple(_mean(each) for each in counts)
        at = dict(zip(THRESHOLDS, counts, strict=True))
        joints = dict(zip(annotations.keypoint_names, at[0.2].shares.tolist(), strict=True))
        numbers |= {"PCK@0.2 torso": _mean(at[0.2]), "PCK@0.5 torso": _mean(at[0.5]), "PDJ@0.1": _mean(at[0.1])}
        numbers["AUC torso"] = float(np.mean(curve))
        numbers |= _limbs(places, truth[..., :2], labelled)
    head = np.nan_to_num(np.array([person.head_length for person, _ in pairs]))
    numbers["PCKh@0.5"] = _mean(pck_curve(places, truth[..., :2], labelled, head, (0.5,))[0]) if len(pairs) else np.nan
    numbers["EPE px"] = end_point_error(places[found], truth[found, :, :2], labelled[found]) if found.any() else np.nan
    numbers["OKS"] = _mean_oks(places, truth, [person.area for person, _ in pairs], count)
    if coco:
        summary = coco_keypoint_summary(annotations.coco, coco_results(annotations, predictions))
        numbers |= {name: value if value >= 0 else np.nan for name, value in summary.values.items()}
    times = (float(np.median(each)) for each in (predictions.milliseconds, predictions.cpu_milliseconds))
    return Scores(numbers, curve, joints, *times)


def coco_results(annotations: Annotations, predictions: Predictions) -> list[dict[str, Any]]:
    """What was found, as a COCO results file has it."""
    category = next(iter(annotations.coco["categories"]))["id"]
    return [
        {
            "image_id": image.image_id,
            "category_id": category,
            "keypoints": [float(number) for number in person.keypoints.reshape(-1)],
            "score": person.score,
        }
        for image, people in zip(annotations.images, predictions.people, strict=True)
        for person in people
    ]


def _pairs(
    image: AnnotatedImage, people: Sequence[FoundPerson], *, single: bool
) -> list[tuple[TruePerson, FoundPerson | None]]:
    """Each annotated person that counts, with the one found for it."""
    truth = [person for person in image.people if not person.crowd and person.labelled.any()]
    if not truth:
        return []
    alike = np.array([[_similarity(true, one) for one in people] for true in truth]).reshape(len(truth), len(people))
    if single:
        if not people:
            return [(max(truth, key=lambda person: person.area), None)]
        return [(truth[int(alike[:, 0].argmax())], people[0])]
    matched: dict[int, FoundPerson] = {}
    taken: set[int] = set()
    for flat in np.argsort(-alike, axis=None, kind="stable"):
        row, column = divmod(int(flat), len(people))
        if row not in matched and column not in taken and alike[row, column] >= _SAME_PERSON:
            matched[row] = people[column]
            taken.add(column)
    return [(person, matched.get(row)) for row, person in enumerate(truth)]


def _similarity(true: TruePerson, one: FoundPerson) -> float:
    count = len(true.keypoints)
    sigmas = COCO_SIGMAS if count == len(COCO_SIGMAS) else (0.08,) * count
    return float(
        oks(one.keypoints[None, :, :2], true.keypoints[None, :, :2], true.labelled[None], [true.area], sigmas)[0]
    )


def _mean_oks(places: Doubles, truth: Doubles, areas: Sequence[float], count: int) -> float:
    if not len(places) or count != len(COCO_SIGMAS):
        return float("nan")
    return float(oks(places, truth[..., :2], truth[..., 2] > 0, areas).mean())


def _limbs(places: Doubles, truth: Doubles, labelled: npt.NDArray[np.bool_]) -> dict[str, float]:
    found: dict[str, float] = {}
    for rule in ("strict", "loose"):
        limbs = pcp(places, truth, labelled, COCO_LIMBS, 0.5, rule)
        shares = [counts.mean for counts in limbs.values() if counts.of.any()]
        found[f"PCP {rule}"] = float(np.mean(shares)) if shares else float("nan")
    return found


def _mean(counts: Counts) -> float:
    return counts.mean if counts.of.any() else float("nan")
