"""Wrong poses made on purpose."""

from __future__ import annotations

import numpy as np
import pytest

from graphflow.evaluation.pose_errors import COCO_PARTNERS, KINDS, PoseErrors, error_probabilities, similarity_distance

TRUTH = np.column_stack([np.random.default_rng(0).uniform(0, 300, (17, 2)), np.ones(17)])
AREA = 20_000.0


def test_the_same_seed_makes_the_same_errors() -> None:
    first, second, other = (PoseErrors(seed).apply(TRUTH, AREA) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.keypoints, second.keypoints)
    assert not np.array_equal(first.keypoints, other.keypoints)


def test_every_kind_lies_where_it_should() -> None:
    near = TRUTH + np.array([40.0, 0.0, 0.0])
    generator = PoseErrors(1)
    made = [generator.apply(TRUTH, AREA, [near]) for _ in range(300)]
    good, half, far = (similarity_distance(each, AREA) for each in (0.85, 0.5, 0.1))
    seen = set()
    for wrong in made:
        off = np.linalg.norm(wrong.keypoints[:, :2] - TRUTH[:, :2], axis=1)
        over = np.linalg.norm(wrong.keypoints[:, :2] - TRUTH[list(COCO_PARTNERS), :2], axis=1)
        for k, kind in enumerate(wrong.kinds):
            seen.add(KINDS[kind])
            if KINDS[kind] == "good":
                assert off[k] <= good[k]
            elif KINDS[kind] == "jitter":
                assert good[k] <= off[k] <= half[k]
            elif KINDS[kind] == "inversion":
                assert over[k] <= half[k]
                assert COCO_PARTNERS[k] != k
            elif KINDS[kind] == "miss":
                assert off[k] >= half[k]
    assert seen == set(KINDS)
    assert (far > half).all()


@pytest.mark.parametrize(("labelled", "overlapping"), [(17, 0), (10, 0), (10, 1), (15, 3), (5, 2), (0, 0)])
def test_probabilities_are_such(labelled: int, overlapping: int) -> None:
    probabilities = error_probabilities(labelled, overlapping)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities >= 0).all()


def test_what_is_not_labelled_gets_no_place_unless_it_was_estimated() -> None:
    hidden = TRUTH.copy()
    hidden[3] = 0
    assert PoseErrors(0).apply(hidden, AREA).kinds[3] == -1
    assert PoseErrors(0).apply(hidden, AREA, estimated=TRUTH).kinds[3] >= 0
    alone = PoseErrors(0).apply(TRUTH, AREA)
    assert (alone.probabilities[:, KINDS.index("swap")] == 0).all()
    with pytest.raises(ValueError, match=r"\[17, 3\]"):
        PoseErrors(0).apply(TRUTH[:5], AREA)
