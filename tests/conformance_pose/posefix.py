"""Wrong poses made on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphflow.evaluation.pose_errors import KINDS, PoseErrors, similarity_distance

from .cases import Array, Case, differences

_LEAST = 30  # of a kind, for its distances to have quantiles


def _synthesis(case: Case) -> Iterator[str]:
    params = case.params
    area, draws = params["area"], params["draws"]
    for name, similarity in (("d_ks10", 0.10), ("d_ks50", 0.50), ("d_ks85", 0.85)):
        yield from differences(name, similarity_distance(similarity, area), case.output(name), rtol=1e-9)
    truth, estimated = case.input("joints"), case.input("estimated_joints")
    source = np.where(truth[:, 2:] > 0, truth, estimated)[:, :2]
    generator = PoseErrors(7, "posefix")
    made = [
        generator.apply(truth, area, case.input("near_joints"), estimated, params["overlapping_people"])
        for _ in range(draws)
    ]
    order = [KINDS.index(kind) for kind in params["kinds"]]
    probabilities = np.mean([each.probabilities for each in made], axis=0)[:, order]
    constant = case.output("probabilities_constant")
    recorded = case.output("probabilities_mean")
    yield from differences("probabilities", probabilities[constant], recorded[constant], 1e-9)
    kinds = np.array([each.kinds for each in made])
    yield from _frequencies(kinds, order, draws, case.output("frequencies"), recorded)
    apart = np.array([np.linalg.norm(each.keypoints[:, :2] - source, axis=1) for each in made])
    quantiles = case.output("distance_quantiles_10_50_90")
    yield from _quantiles(kinds, order, apart, draws, case.output("frequencies"), quantiles)


def _frequencies(kinds: Array, order: list[int], draws: int, want: Array, likely: Array) -> Iterator[str]:
    """Two samples of that many draws: the variance of their difference is that of both."""
    found = np.stack([(kinds == kind).mean(axis=0) for kind in order], axis=1)
    error = 4 * np.sqrt(2 * np.maximum(likely * (1 - likely), 1 / draws) / draws)
    wrong = np.argwhere(np.abs(found - want) > error)
    if len(wrong):
        k, kind = wrong[0]
        yield f"frequencies at [{k}, {kind}]: {found[k, kind]}, not {want[k, kind]} within {error[k, kind]:.4f}"


def _quantiles(
    kinds: Array, order: list[int], apart: Array, draws: int, frequencies: Array, want: Array
) -> Iterator[str]:
    """Within the tolerance; or, where the reference drew a kind so seldom that its own quantiles are not as exact as
    that, within 4 standard errors of how many of its distances lie below."""
    for k in range(want.shape[0]):
        for column, kind in enumerate(order):
            own = np.sort(apart[kinds[:, k] == kind, k])
            recorded = frequencies[k, column] * draws
            if len(own) < _LEAST or recorded < _LEAST or np.isnan(want[k, column]).any():
                continue
            for share, value in zip((0.1, 0.5, 0.9), want[k, column], strict=True):
                got = float(np.quantile(own, share))
                below = np.searchsorted(own, value) / len(own)
                variance = max(share * (1 - share), below * (1 - below))
                error = 4 * np.sqrt(variance * (1 / recorded + 1 / len(own)))
                if abs(got - value) > max(0.15 * value, 0.5) and abs(below - share) > error:
                    yield f"{share:.0%} of {KINDS[kind]} of keypoint {k} lie below {got:.2f}, not {value:.2f}"


CHECKS = {"synthesize_pose": _synthesis}
