"""The bottom-up graphs from pixels to people, on drawn scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from drawn_people import (
    COCO,
    Scene,
    crossing,
    drawn,
    openpose_network,
    standing,
    tag_network,
)

from graphflow.testing import run_graph

WIDTH, HEIGHT = 656, 368
PLAIN = {
    "input_width": WIDTH,
    "input_height": HEIGHT,
    "mean": [0.0] * 3,
    "deviation": [1.0] * 3,
    "channels": "rgb",
}
Floats = npt.NDArray[np.float64]


@pytest.fixture(scope="module")
def people_in(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, list[Scene]], list[list[Any]]]:
    folder = tmp_path_factory.mktemp("networks")
    models = {
        "openpose": openpose_network(folder / "paf.onnx"),
        "associative_embedding": tag_network(folder / "ae.onnx"),
    }

    def found(graph: str, scenes: list[Scene]) -> list[list[Any]]:
        images = [(33_333 * number, scene.image) for number, scene in enumerate(scenes)]
        options = {**PLAIN, "model": str(models[graph])}
        answers = run_graph(graph, {"image": images}, params=options, outputs=["pose_landmarks"])["pose_landmarks"]
        assert [time for time, _ in answers] == [time for time, _ in images]
        return [people for _, people in answers]

    return found


def _matched(scene: Scene, people: list[Any]) -> list[tuple[int, Floats, npt.NDArray[np.bool_]]]:
    """For each person drawn, the one found whose joints are nearest: its number, how far they are off, and which."""
    truth = scene.people[:, COCO]
    matches = []
    for person in truth:
        off = np.array([np.linalg.norm(each.xyz[:, :2] * (WIDTH, HEIGHT) - person, axis=1) for each in people])
        seen = np.array([each.visibility > 0 for each in people])
        good = ((off < 8) & seen).sum(axis=1)
        best = int(good.argmax())
        matches.append((best, off[best], seen[best]))
    return matches


@pytest.mark.parametrize("graph", ["openpose", "associative_embedding"])
@pytest.mark.parametrize(
    "counts", [(1, 5, 12), pytest.param(range(1, 13), marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_people_who_do_not_touch_are_all_found_and_no_joint_is_swapped(
    graph: str, counts: Iterable[int], people_in: Any
) -> None:
    scenes = [drawn(standing(count, WIDTH, HEIGHT, count), WIDTH, HEIGHT) for count in counts]
    for scene, people in zip(scenes, people_in(graph, scenes), strict=True):
        assert len(people) == len(scene.people)
        matches = _matched(scene, people)
        assert len({number for number, _, _ in matches}) == len(people)
        for (_, off, seen), visible in zip(matches, scene.visible[:, COCO], strict=True):
            assert seen[visible].all()
            assert off[visible].max() < 4.0


@pytest.mark.parametrize("graph", ["openpose", "associative_embedding"])
def test_people_who_cross_are_found_where_their_limbs_show(graph: str, people_in: Any) -> None:
    scenes = [drawn(crossing(count, WIDTH, HEIGHT, 10 * count), WIDTH, HEIGHT) for count in (2, 4, 6, 12)]
    for scene, people in zip(scenes, people_in(graph, scenes), strict=True):
        for (_, off, seen), visible in zip(_matched(scene, people), scene.visible[:, COCO], strict=True):
            if visible.mean() > 0.7:
                assert (seen & (off < 8))[visible].mean() > 0.6


def test_an_empty_image_has_nobody(people_in: Any) -> None:
    empty = drawn(np.zeros((0, 18, 2)), WIDTH, HEIGHT)
    assert people_in("openpose", [empty]) == [[]]
    assert people_in("associative_embedding", [empty]) == [[]]
