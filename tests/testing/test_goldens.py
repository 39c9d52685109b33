import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList

from graphflow.testing import assert_golden, assert_packets_equal

POINTS = NormalizedLandmarkList(np.arange(6, dtype=np.float32).reshape(2, 3))
MOVED = NormalizedLandmarkList(POINTS.xyz + np.array([[0, 0, 0], [0, 0.25, 0]], np.float32))
FOUND: dict[str, list[tuple[int, Any]]] = {
    "points": [(0, POINTS), (10, POINTS)],
    "numbers": [(0, [1.0, math.nan, {"a": (2, "b")}])],
}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"points": []}, "there are the streams ['points'], not ['numbers', 'points']"),
        (FOUND | {"points": [(0, POINTS)]}, "stream 'points' has packets at [0], not at [0, 10]"),
        (
            FOUND | {"points": [(0, POINTS), (10, MOVED)]},
            "stream 'points' at 10: .xyz is different in 1 of 6 numbers; the first, at [1, 1], is",
        ),
        (FOUND | {"points": [(0, POINTS), (10, POINTS.xyz)]}, "at 10: ndarray, not NormalizedLandmarkList"),
        (FOUND | {"numbers": [(0, [1.5, math.nan, {"a": (2, "b")}])]}, "'numbers' at 0: [0] is 1.5, not 1.0"),
        (FOUND | {"numbers": [(0, [1.0, 0.0, {"a": (2, "b")}])]}, "[1] is 0.0, not nan"),
        (FOUND | {"numbers": [(0, [1.0, math.nan, {"a": (2, "c")}])]}, "[2]['a'][1] is 'c', not 'b'"),
        (FOUND | {"numbers": [(0, [1.0, math.nan])]}, "at 0: [1.0, nan], not [1.0, nan, {"),
    ],
)
def test_differences_are_located(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(AssertionError) as difference:
        assert_packets_equal(changed, FOUND)
    assert message in str(difference.value)


def test_what_is_equal_or_close_enough() -> None:
    assert_packets_equal(FOUND, FOUND)
    assert_packets_equal(FOUND | {"points": [(0, POINTS), (10, MOVED)]}, FOUND, atol=0.3)
    with pytest.raises(AssertionError):
        assert_packets_equal(FOUND | {"points": [(0, POINTS), (10, MOVED)]}, FOUND, atol=0.2)


def test_a_golden_is_written_once_and_compared_from_then_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "golden.gfrec"
    with pytest.raises(AssertionError, match="was missing and is written now: look whether it is right"):
        assert_golden(path, FOUND)
    assert_golden(path, FOUND)
    other = FOUND | {"points": [(0, POINTS), (10, MOVED)]}
    with pytest.raises(AssertionError, match=r"golden.gfrec: stream 'points' at 10: .* run again with GRAPHFLOW"):
        assert_golden(path, other)
    assert_golden(path, other, atol=0.3)
    monkeypatch.setenv("GRAPHFLOW_UPDATE_GOLDENS", "1")
    assert_golden(path, other)
    monkeypatch.delenv("GRAPHFLOW_UPDATE_GOLDENS")
    assert_golden(path, other)
