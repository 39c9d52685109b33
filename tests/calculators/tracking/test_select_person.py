"""One of several people."""

from __future__ import annotations

from typing import Any

import pytest
from graphflow.calculators.payloads import NormalizedRect
from graphflow.calculators.tracking.select_person import SelectPerson

from graphflow.testing import run_calculator


def region(x: float, side: float, y: float = 0.5) -> NormalizedRect:
    return NormalizedRect(x, y, side, side, 0.0)


LEFT, RIGHT = region(0.2, 0.3), region(0.8, 0.2)
GROWN = region(0.8, 0.4)
Frames = list[dict[int, NormalizedRect]]


def chosen(frames: Frames, **options: Any) -> list[int | None]:
    inputs: dict[str, list[tuple[int, Any]]] = {"ROIS": list(enumerate(frames)), "IMAGE_SIZE": []}
    found = dict(run_calculator(SelectPerson, inputs=inputs, options=options)["NUMBER"])
    return [found.get(t) for t in range(len(frames))]


@pytest.mark.parametrize(
    ("frames", "options", "expected"),
    [
        ([{}, {1: LEFT, 2: RIGHT}], {}, [None, 1]),
        # it does not jump to whoever comes nearer, unless asked to
        ([{1: LEFT, 2: RIGHT}, {1: LEFT, 2: GROWN}], {}, [1, 1]),
        ([{1: LEFT, 2: RIGHT}, {1: LEFT, 2: GROWN}], {"stay": False}, [1, 2]),
        # nor where the one is missing for a moment
        ([{1: LEFT, 2: RIGHT}, {2: RIGHT}, {1: LEFT, 2: GROWN}], {"patience": 1}, [1, None, 1]),
        ([{1: LEFT, 2: RIGHT}, {2: RIGHT}, {1: LEFT, 2: RIGHT}], {"patience": 0}, [1, 2, 2]),
        ([{1: LEFT, 2: RIGHT}], {"by": "nearest", "x": 0.7}, [2]),
        ([{1: LEFT, 2: RIGHT}], {"by": "nearest", "x": 0.4}, [1]),
        ([{1: LEFT, 2: RIGHT}, {1: LEFT}, {1: LEFT, 2: RIGHT}], {"by": "number", "wanted": 2}, [2, None, 2]),
        ([{1: LEFT, 2: RIGHT}], {"by": "area", "area": [0.5, 0, 0.5, 1]}, [2]),
        ([{1: LEFT}], {"by": "area", "area": [0.5, 0, 0.5, 1]}, [None]),
        # whoever was chosen in the area may leave it
        ([{1: LEFT, 2: RIGHT}, {2: LEFT}], {"by": "area", "area": [0.5, 0, 0.5, 1]}, [2, 2]),
    ],
)
def test_who_is_chosen(frames: Frames, options: Any, expected: list[int | None]) -> None:
    assert chosen(frames, **options) == expected


def test_sizes_are_measured_in_pixels() -> None:
    frames = [(0, {1: region(0.5, 0.2, 0.7), 2: region(0.65, 0.2)})]
    for size, expected in (((100, 1000), 2), ((1000, 100), 1)):
        options = {"by": "nearest"}
        found = run_calculator(SelectPerson, inputs={"ROIS": frames, "IMAGE_SIZE": [(0, size)]}, options=options)
        assert found["NUMBER"] == [(0, expected)]


def test_what_belongs_to_the_person_goes_on() -> None:
    inputs: dict[str, list[tuple[int, Any]]] = {
        "ROIS": [(0, {1: LEFT, 2: RIGHT}), (1, {1: LEFT})],
        "IMAGE_SIZE": [],
        "FACE": [(0, {2: "face"}), (1, {})],
        "HAND": [(0, {1: "a", 2: "b"}), (1, {1: "c"})],
    }
    found = run_calculator(SelectPerson, inputs=inputs, outputs=["HAND", "FACE", "ROI"])
    assert found["HAND"] == [(0, "a"), (1, "c")]
    assert found["FACE"] == []
    assert [timestamp for timestamp, _ in found["ROI"]] == [0, 1]


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="the output HAND has no input of the same tag"):
        run_calculator(SelectPerson, inputs={"ROIS": []}, outputs=["HAND"])
    with pytest.raises(ValueError, match="'area' is x_min, y_min, width, height, not 2 numbers"):
        run_calculator(SelectPerson, inputs={"ROIS": []}, options={"area": [0, 1]})
