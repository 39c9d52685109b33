"""The families for lists: Split, Concatenate, Clip, GetVectorItem, MergeToVector, sizes, indices, filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Classification, LandmarkList, NormalizedLandmarkList

from graphflow import CalculatorError, GraphConfigError, registry
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]

LANDMARKS = NormalizedLandmarkList(np.arange(12, dtype=np.float32).reshape(4, 3), visibility=np.float32([0, 1, 2, 3]))
UP, DOWN = Classification(0, 0.9, "up"), Classification(1, 0.1, "down")


def one(calculator: str, inputs: dict[str, Any], options: Any = None, side: Any = None, outputs: Any = None) -> Any:
    """What a calculator makes of one packet at each input, by output; None stands for no packet."""
    fed = {name: [] if value is None else [(5, value)] for name, value in inputs.items()}
    seen = run_calculator(registry.find(calculator), fed, options, side, outputs)
    assert all(timestamp == 5 for packets in seen.values() for timestamp, _ in packets)
    return {name: packets[0][1] if packets else None for name, packets in seen.items()}


def ranges(*pairs: tuple[int, int], **more: Any) -> dict[str, Any]:
    return {"ranges": [{"begin": begin, "end": end} for begin, end in pairs], **more}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (ranges((0, 1), (1, 4)), {"": [10], "1": [20, 30, 40]}),
        (ranges((0, 3), (1, 2)), {"": [10, 20, 30], "1": [20]}),
        (ranges((3, 4), (0, 1), element_only=True), {"": 40, "1": 10}),
        (ranges((3, 4), (0, 2), combine_outputs=True), {"": [40, 10, 20]}),
    ],
)
def test_split(options: Any, expected: Any) -> None:
    assert one("SplitUint64tVectorCalculator", {"": [10, 20, 30, 40]}, options, outputs=list(expected)) == expected


@pytest.mark.parametrize(
    ("options", "outputs", "message"),
    [
        (ranges((0, 1), (1, 2)), [""], "2 ranges need as many outputs, not 1"),
        (ranges((1, 1)), [""], "0 <= begin < end"),
        (ranges((0, 2), element_only=True), [""], "exactly one item"),
        (ranges((0, 2), (1, 3), combine_outputs=True), [""], "must not overlap"),
        (ranges((0, 2), (2, 3), combine_outputs=True), ["", "1"], "combined ranges take one output"),
        (ranges((2, 5)), [""], "ends at 5, but there are 4 items"),
    ],
)
def test_split_refuses(options: Any, outputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        one("Split", {"": [1, 2, 3, 4]}, options, outputs=outputs)


def test_split_landmarks() -> None:
    seen = one("SplitNormalizedLandmarkList", {"": LANDMARKS}, ranges((1, 2), (3, 4), combine_outputs=True))[""]
    assert isinstance(seen, NormalizedLandmarkList)
    np.testing.assert_array_equal(seen.xyz, [[3, 4, 5], [9, 10, 11]])
    np.testing.assert_array_equal(seen.visibility, [1, 3])
    assert len(one("SplitNormalizedLandmarkList", {"": LANDMARKS}, ranges((2, 3), element_only=True))[""]) == 1


@pytest.mark.parametrize(
    ("calculator", "values", "only_all", "expected"),
    [
        ("ConcatenateFloatVector", (1.0, [2.0, 3.0]), False, [1.0, 2.0, 3.0]),
        ("ConcatenateFloatVector", (None, [2.0]), False, [2.0]),
        ("ConcatenateFloatVector", (None, [2.0]), True, None),
        ("ConcatenateFloatVector", ([], []), True, []),
        ("ConcatenateStringVector", ("ab", ["c"]), False, ["ab", "c"]),
        ("ConcatenateClassificationListVector", ([UP], [[DOWN], [UP]]), False, [[UP], [DOWN], [UP]]),
        ("ConcatenateClassificationList", ([UP], [DOWN, UP]), False, [UP, DOWN, UP]),
        ("ConcatenateClassificationList", ([UP], None), True, None),
    ],
)
def test_concatenate(calculator: str, values: Any, only_all: bool, expected: Any) -> None:
    inputs = {str(index): value for index, value in enumerate(values)}
    assert one(calculator, inputs, {"only_emit_if_all_present": only_all}) == {"": expected}


def test_concatenate_landmark_lists() -> None:
    plain = NormalizedLandmarkList(np.ones((1, 3), np.float32))
    seen = one("ConcatenateNormalizedLandmarkListCalculator", {"0": LANDMARKS, "1": plain})[""]
    assert seen.xyz.shape == (5, 3)
    np.testing.assert_array_equal(seen.visibility, [0, 1, 2, 3, 0])
    assert seen.presence is None
    listed = one("ConcatenateNormalizedLandmarkListVectorCalculator", {"0": LANDMARKS, "1": [plain]})[""]
    assert listed == [LANDMARKS, plain]


@pytest.mark.parametrize(
    ("calculator", "inputs", "options", "side", "expected"),
    [
        ("ClipDetectionVectorSize", {"": [1, 2, 3]}, {"max_vec_size": 2}, {}, {"": [1, 2]}),
        ("ClipDetectionVectorSize", {"": [1, 2, 3]}, {}, {}, {"": [1]}),
        ("ClipDetectionVectorSize", {"": [1, 2, 3]}, {}, {"": 5}, {"": [1, 2, 3]}),
        ("ClipDetectionVectorSize", {"": []}, {}, {}, {"": []}),
        ("GetVectorItem", {"VECTOR": "abc"}, {"item_index": 1}, {}, {"ITEM": "b"}),
        ("GetVectorItem", {"VECTOR": "abc", "INDEX": 2}, {"item_index": 1}, {}, {"ITEM": "c"}),
        ("GetVectorItem", {"VECTOR": "abc", "INDEX": None}, {"item_index": 0}, {}, {"ITEM": "a"}),
        ("GetVectorItem", {"VECTOR": "abc", "INDEX": None}, {}, {}, {"ITEM": None}),
        ("GetVectorItem", {"VECTOR": None, "INDEX": 9}, {}, {}, {"ITEM": None}),
        ("GetVectorItem", {"VECTOR": "abc"}, {"item_index": 3, "output_empty_on_oob": True}, {}, {"ITEM": None}),
        ("MergeImagesToVector", {"0": "a", "1": None, "2": "c"}, {}, {}, {"": ["a", "c"]}),
        ("NormalizedRectVectorHasMinSize", {"ITERABLE": [1, 2]}, {"min_size": 2}, {}, {"": True}),
        ("NormalizedRectVectorHasMinSize", {"ITERABLE": [1, 2]}, {"min_size": 3}, {}, {"": False}),
        ("NormalizedRectVectorHasMinSize", {"ITERABLE": []}, {}, {}, {"": True}),
        ("NormalizedRectVectorHasMinSize", {"ITERABLE": [1, 2]}, {"min_size": 3}, {"": 1}, {"": True}),
        ("LandmarkListVectorSize", {"VECTOR": [1, 2]}, {}, {}, {"SIZE": 2}),
        ("IntVectorIndices", {"VECTOR": [7, 8, 9]}, {}, {}, {"INDICES": [0, 1, 2]}),
        ("FilterUInt64Collection", {"ITERABLE": [7, 8], "CONDITION": [False, True]}, {}, {}, {"ITERABLE": [8]}),
        ("FilterUInt64Collection", {"ITERABLE": [7], "CONDITION": [False]}, {}, {}, {"ITERABLE": []}),
        ("FilterUInt64Collection", {"ITERABLE": [7], "CONDITION": None}, {}, {}, {"ITERABLE": None}),
        ("FilterUInt64Collection", {"ITERABLE": None, "CONDITION": [True]}, {}, {}, {"ITERABLE": None}),
    ],
)
def test_the_other_families(calculator: str, inputs: Any, options: Any, side: Any, expected: Any) -> None:
    assert one(calculator, inputs, options, side) == expected


@pytest.mark.parametrize(
    ("calculator", "inputs", "options", "side", "message"),
    [
        ("ClipVectorSize", {"": [1]}, {"max_vec_size": 0}, {}, "at least 1, not 0"),
        ("ClipVectorSize", {"": [1]}, {}, {"": 0}, "at least 1, not 0"),
        ("GetVectorItem", {"VECTOR": [1]}, {"item_index": 1}, {}, "no item 1 in a list of 1"),
        ("GetVectorItem", {"VECTOR": [1]}, {"item_index": -1, "output_empty_on_oob": True}, {}, "no item -1"),
        ("GetVectorItem", {"VECTOR": [1]}, {}, {}, "which item"),
        ("CollectionHasMinSize", {"ITERABLE": [1]}, {"min_size": -1}, {}, "cannot be -1"),
        ("FilterCollection", {"ITERABLE": [1], "CONDITION": [True, True]}, {}, {}, "1 items, but 2 conditions"),
    ],
)
def test_what_they_refuse(calculator: str, inputs: Any, options: Any, side: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        one(calculator, inputs, options, side)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("ConcatenateFloatVector", "ConcatenateInt32Vector", "carries list"),
        ("SplitFloatVector, options: {ranges: [{begin: 0, end: 1}]}", "SplitUint64tVector, OPTIONS", "carries list"),
        (
            "SplitFloatVector, options: {ranges: [{begin: 0, end: 1}], element_only: true}",
            "SplitFloatVector, OPTIONS",
            "float",
        ),
        ("ConcatenateFloatVector", "SplitNormalizedLandmarkList, OPTIONS", "takes NormalizedLandmarkList"),
    ],
)
def test_aliases_bind_types(run: Run, first: str, second: str, message: str) -> None:
    nodes = f"  first: {{calculator: {first}, inputs: [in], outputs: [between]}}\n"
    nodes += f"  second: {{calculator: {second}, inputs: [between], outputs: [out]}}\n"
    with pytest.raises(GraphConfigError, match=message):
        run(nodes.replace("OPTIONS", "options: {ranges: [{begin: 0, end: 1}]}"), [("in", 0, [1.0])])


def test_bound_types_hold_when_packets_arrive(run: Run) -> None:
    nodes = "  join: {calculator: ConcatenateLandmarkList, inputs: [in], outputs: [out]}\n"
    landmarks = LandmarkList(np.zeros((1, 3), np.float32))
    assert [t for t, _ in run(nodes, [("in", 0, landmarks)])["out"]] == [0]
    with pytest.raises(CalculatorError, match="takes LandmarkList, not NormalizedLandmarkList"):
        run(nodes, [("in", 0, LANDMARKS)])


def test_time_passes_without_packets(run: Run) -> None:
    options = "{ranges: [{begin: 0, end: 1}]}"
    nodes = f"  split: {{calculator: SplitFloatVector, inputs: [in], outputs: [out], options: {options}}}\n"
    assert run(nodes, [("in", 1, [1.0]), ("in", 7)], bounds=True)["out"] == [(1, [1.0]), (6, None)]
