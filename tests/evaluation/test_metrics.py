"""Measures of poses: definitions on poses small enough to see the answer."""

from __future__ import annotations

import math

import numpy as np
import pytest

from graphflow.evaluation.metrics import (
    area_under_curve,
    box_side,
    end_point_error,
    head_length,
    mean_per_joint_position_error,
    normalized_mean_error,
    pck,
    pck_curve,
    pcp,
    torso_diameter,
)

TRUTH = np.array([[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0]]])
ALL = np.ones((1, 3), bool)


def _moved(*by: float) -> np.ndarray:
    return TRUTH + np.array([[[x, 0.0] for x in by]])


@pytest.mark.parametrize(
    ("threshold", "strict", "right"),
    [(0.2, False, [1, 1, 0]), (0.2, True, [1, 0, 0]), (0.3, False, [1, 1, 1]), (0.0, False, [1, 0, 0])],
)
def test_pck_counts_what_is_near_enough(threshold: float, strict: bool, right: list[int]) -> None:
    counts = pck(_moved(0, 2, 3), TRUTH, ALL, [10.0], threshold, strict)
    assert counts.right.tolist() == right
    assert counts.of.tolist() == [1, 1, 1]
    assert counts.mean == pytest.approx(sum(right) / 3)


def test_what_is_not_labelled_does_not_count() -> None:
    counts = pck(_moved(0, 2, 99), TRUTH, [[True, True, False]], [10.0], 0.2)
    assert counts.mean == 1.0
    assert math.isnan(counts.shares[2])
    assert pck(TRUTH, TRUTH, ~ALL, [10.0], 0.2).mean == 0.0
    assert pck(TRUTH, TRUTH, ALL, [0.0], 0.2).of.tolist() == [0, 0, 0]


def test_the_mean_of_keypoints_is_not_that_of_labels() -> None:
    truth = np.zeros((2, 2, 2))
    predicted = np.array([[[0, 0], [9, 9]], [[0, 0], [0, 0]]])
    counts = pck(predicted, truth, [[True, True], [True, False]], [1.0, 1.0], 0.5)
    assert (counts.mean, counts.weighted_mean) == (0.5, pytest.approx(2 / 3))
    assert (counts + counts).of.tolist() == [4, 2]


@pytest.mark.parametrize(
    ("rule", "ends", "right"),
    [("strict", (5, 5), 1), ("strict", (0, 6), 0), ("loose", (0, 6), 1), ("loose", (5, 6), 0)],
)
def test_pcp_looks_at_both_ends_or_at_their_mean(rule: str, ends: tuple[float, float], right: int) -> None:
    counts = pcp(_moved(*ends, 0), TRUTH, ALL, {"limb": (0, 1)}, 0.5, rule)["limb"]  # type: ignore[arg-type]
    assert (counts.right.tolist(), counts.of.tolist()) == ([right], [1])
    assert pcp(TRUTH, TRUTH, [[True, False, True]], {"limb": (0, 1)})["limb"].of.tolist() == [0]


def test_errors_and_curves() -> None:
    assert end_point_error(_moved(0, 3, 6), TRUTH, ALL) == pytest.approx(3.0)
    assert normalized_mean_error(_moved(0, 3, 6), TRUTH, ALL, [6.0]) == pytest.approx(0.5)
    assert end_point_error(TRUTH, TRUTH, ~ALL) == 0.0
    assert [each.mean for each in pck_curve(_moved(0, 3, 6), TRUTH, ALL, [10.0], [0.1, 0.4, 0.7])] == pytest.approx(
        [1 / 3, 2 / 3, 1]
    )
    assert area_under_curve(TRUTH, TRUTH, ALL, [1.0], 4) == pytest.approx(0.75)  # nothing is below a threshold of 0


def test_a_turned_scaled_and_moved_pose_is_the_same_after_alignment() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(2, 9, 3))
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    moved = 2.5 * truth @ turn + 4.0
    labelled = np.ones((2, 9), bool)
    assert mean_per_joint_position_error(moved, truth, labelled) > 1
    assert mean_per_joint_position_error(moved, truth, labelled, "procrustes") == pytest.approx(0, abs=1e-9)
    assert mean_per_joint_position_error(2 * truth, truth, labelled, "scale") == pytest.approx(0, abs=1e-9)
    mirrored = truth * [1, 1, -1]
    assert mean_per_joint_position_error(mirrored, truth, labelled, "procrustes") > 0.1


def test_reference_lengths() -> None:
    points = np.zeros((1, 17, 2))
    points[0, 5], points[0, 12] = (0, 3), (4, 0)
    assert torso_diameter(points).tolist() == [5.0]
    assert box_side([[7, 7, 20, 30]]).tolist() == [30.0]
    assert head_length([[[0, 0], [3, 4]]]).tolist() == [3.0]


def test_shapes_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="people are"):
        pck(TRUTH, TRUTH[:, :2], ALL, [1.0], 0.5)
