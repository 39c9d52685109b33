"""The kernels of grouping against twins in plain Python, and assignments against scipy's."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from graphflow.calculators.grouping.associative_embedding import (
    TagParameters,
    aggregate_stages,
    as_tensors,
    group_by_tags,
    tag_peaks,
)
from graphflow.calculators.grouping.munkres import munkres
from graphflow.calculators.grouping.part_affinity import (
    LIGHTWEIGHT,
    PRESETS,
    AffinityParameters,
    find_peaks,
    group_people,
    limb_scores,
)
from graphflow.calculators.grouping.topology import COCO_PARTNERS, OPENPOSE_18, LimbTopology
from scipy.optimize import linear_sum_assignment

Floats = npt.NDArray[np.float32]


def twin_peaks(heatmap: Floats, threshold: float) -> list[tuple[int, int]]:
    """OpenPose's peaks, pixel by pixel: above the threshold and above all eight neighbours."""
    height, width = heatmap.shape
    found = []
    for y in range(height):
        for x in range(width):
            around = [
                heatmap[r, c]
                for r in range(max(0, y - 1), min(height, y + 2))
                for c in range(max(0, x - 1), min(width, x + 2))
                if (r, c) != (y, x)
            ]
            if heatmap[y, x] > threshold and all(heatmap[y, x] > other for other in around):
                found.append((x, y))
    return sorted(found)


def twin_integral(begin: Floats, end: Floats, field: Floats, parameters: AffinityParameters) -> float:
    """The mean of a field along a line, sample by sample."""
    height, width = field.shape[1:]
    dx, dy = float(end[0] - begin[0]), float(end[1] - begin[1])
    length = math.hypot(dx, dy)
    if parameters.near and length < parameters.near * math.sqrt(width * height):
        return parameters.peak_threshold
    count = parameters.samples or max(5, min(25, int(math.sqrt(5 * max(abs(dx), abs(dy))) + 0.5)))
    along = []
    for n in range(count):
        x = min(max(round(begin[0] + dx * n / (count - 1)), 0), width - 1)
        y = min(max(round(begin[1] + dy * n / (count - 1)), 0), height - 1)
        along.append((field[0, y, x] * dx + field[1, y, x] * dy) / (length + 1e-6))
    valid = [value for value in along if value > parameters.field_threshold]
    return sum(valid) / len(valid) if len(valid) > parameters.share * count else 0.0


@pytest.mark.parametrize("seed", range(4))
def test_peaks_equal_their_twin(seed: int) -> None:
    maps = np.random.default_rng(seed).random((3, 17, 23), np.float32)
    plain = AffinityParameters(peak_threshold=0.5, subpixel=False, peak_distance_px=0)
    peaks, offsets = find_peaks(maps, AffinityParameters(peak_threshold=0.5))
    assert len(peaks) == offsets[-1]
    for k, heatmap in enumerate(maps):
        own = peaks[offsets[k] : offsets[k + 1]]
        expected = twin_peaks(heatmap, 0.5)
        assert sorted(own[:, 2].tolist()) == sorted(float(heatmap[y, x]) for x, y in expected)
    assert find_peaks(maps, plain)[0].shape[1] == 3


@pytest.mark.parametrize("parameters", [AffinityParameters(), LIGHTWEIGHT], ids=["openpose", "lightweight"])
@pytest.mark.parametrize("seed", range(3))
def test_integrals_equal_their_twin(parameters: AffinityParameters, seed: int) -> None:
    rng = np.random.default_rng(seed)
    field = rng.normal(0.4, 0.3, (2, 30, 40)).astype(np.float32)
    begins, ends = ((rng.random((5, 3)) * (40, 30, 1)).round().astype(np.float32) for _ in range(2))
    scores = limb_scores(begins, ends, field, parameters)
    expected = [[twin_integral(begin, end, field, parameters) for end in ends] for begin in begins]
    np.testing.assert_allclose(scores, expected, atol=1e-4)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("kind", ["empty", "NaN", "flat", "noise"])
def test_maps_without_people_are_survived(preset: str, kind: str) -> None:
    rng = np.random.default_rng(0)
    maps = {
        "empty": np.zeros((56, 12, 16), np.float32),
        "NaN": np.full((56, 12, 16), np.nan, np.float32),
        "flat": np.ones((56, 12, 16), np.float32),
        "noise": rng.random((56, 12, 16), np.float32),
    }[kind]
    found = group_people(maps[:18], maps[18:], OPENPOSE_18, PRESETS[preset])
    assert found.people.shape[1] == 18
    if kind != "noise":
        assert len(found.people) == 0
    with pytest.raises(ValueError, match="18 heatmaps and 38 field maps"):
        group_people(maps[:17], maps[18:])


def test_two_halves_joined_by_a_later_limb_are_one_person_but_for_lightweight() -> None:
    topology = LimbTopology(("a", "b", "c", "d"), ((0, 1), (2, 3), (1, 2)), ((0, 1), (2, 3), (4, 5)))
    maps, fields = np.zeros((4, 40, 80), np.float32), np.zeros((6, 40, 80), np.float32)
    for k in range(4):
        maps[k, 20, 10 + 20 * k] = 1
    fields[::2] = 1
    for preset, parts in (("paper", [4]), ("openpose", [4])):
        assert group_people(maps, fields, topology, PRESETS[preset]).parts.tolist() == parts
    assert len(group_people(maps, fields, topology, LIGHTWEIGHT).people) == 1
    assert (group_people(maps, fields, topology, LIGHTWEIGHT).people == -1).any()


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 6), (6, 3), (8, 8), (0, 3)])
@pytest.mark.parametrize("seed", range(5))
def test_munkres_is_as_good_as_scipy(shape: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    for cost in (rng.random(shape), rng.integers(0, 4, shape).astype(float)):
        rows, columns = munkres(cost)
        best = cost[linear_sum_assignment(cost)].sum()
        assert cost[rows, columns].sum() == pytest.approx(best)
        assert len(set(rows)) == len(set(columns)) == min(shape)
    with pytest.raises(ValueError, match="finite"):
        munkres([[np.nan]])


def test_peaks_for_tags_are_the_highest_around_them() -> None:
    heatmap = np.zeros((9, 9), np.float32)
    heatmap[2, 2], heatmap[3, 3], heatmap[7, 7] = 0.9, 0.8, 0.5
    assert tag_peaks(heatmap, 0.1, 5).round(2).tolist() == [[2, 2, pytest.approx(0.9)], [7, 7, 0.5]]
    assert len(tag_peaks(heatmap, 0.1, 1)) == 3
    assert len(tag_peaks(heatmap, 0.1, 1, most=2)) == 2
    with pytest.raises(ValueError, match="odd"):
        tag_peaks(heatmap, 0.1, 4)


def _tagged(people: list[dict[int, tuple[int, int]]], tags: list[float]) -> tuple[Floats, Floats]:
    maps, fields = np.zeros((17, 40, 50), np.float32), np.zeros((1, 17, 40, 50), np.float32)
    for joints, tag in zip(people, tags, strict=True):
        for k, (x, y) in joints.items():
            maps[k, y, x] = 0.9
            fields[0, k, y - 1 : y + 2, x - 1 : x + 2] = tag
    return maps, fields


@pytest.mark.parametrize("reference", ["exact", "mmpose", "higherhrnet"])
@pytest.mark.parametrize("refinement", ["quarter", "udp"])
def test_people_are_told_apart_by_their_tags(reference: str, refinement: str) -> None:
    people = [{k: (5 + 2 * k, 10) for k in range(17)}, {k: (5 + 2 * k, 30) for k in range(17) if k != 4}]
    maps, fields = _tagged(people, [1.0, 5.0])
    parameters = TagParameters(refinement=refinement, reference=reference)  # type: ignore[arg-type]
    found = group_by_tags(maps, fields, parameters)
    assert len(found.keypoints) == 2
    np.testing.assert_allclose(found.tags[:, 0], [1, 5])
    np.testing.assert_allclose(found.keypoints[:, 0, 1], [10, 30], atol=0.3)
    assert (found.person_scores > 0.8).all()


def test_ties_of_whole_distances_are_decided_by_the_tags() -> None:
    people: list[dict[int, tuple[int, int]]] = [{0: (5, 10), 1: (9, 10)}, {0: (5, 30), 1: (9, 30)}]
    maps, fields = _tagged(people, [1.0, 1.4])
    found = group_by_tags(maps, fields, TagParameters(fill_missing=False))
    assert found.keypoints[:, :2, 1].round().tolist() == [[10, 10], [30, 30]]


def test_what_does_not_go_together_is_refused() -> None:
    maps = np.zeros((17, 4, 4), np.float32)
    with pytest.raises(ValueError, match="tags"):
        group_by_tags(maps, maps)
    with pytest.raises(ValueError, match="order"):
        group_by_tags(maps[:3], maps[None, :3])
    with pytest.raises(ValueError, match="L x 5"):
        as_tensors(maps, 5)
    with pytest.raises(ValueError, match="first stage"):
        aggregate_stages([maps, maps])
    assert len(group_by_tags(maps, maps[None]).keypoints) == 0


def test_stages_and_mirrored_answers_are_averaged() -> None:
    rng = np.random.default_rng(2)
    stages = [rng.random((34, 8, 10), np.float32), rng.random((17, 16, 20), np.float32)]
    maps, tags = aggregate_stages(stages)
    assert maps.shape == (17, 16, 20)
    assert tags.shape == (1, 17, 16, 20)
    partners = list(COCO_PARTNERS)
    mirrored = [
        np.concatenate([stages[0][:17][partners], stages[0][17:][partners]])[..., ::-1],
        stages[1][partners][..., ::-1],
    ]
    both, two = aggregate_stages(stages, mirrored, partners, (40, 32))
    assert two.shape == (2, 17, 32, 40)
    alone, _ = aggregate_stages(stages, size=(40, 32))
    np.testing.assert_allclose(both, alone, atol=1e-6)
    np.testing.assert_allclose(two[0], two[1], atol=1e-6)
