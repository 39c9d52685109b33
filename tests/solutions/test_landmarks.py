import copy
import pickle

import numpy as np
import pytest
from graphflow.calculators import payloads

from graphflow.packet import freeze
from graphflow.solutions.landmarks import Landmark, LandmarkList, NormalizedLandmark, NormalizedLandmarkList

XYZ = np.array([[0.5, 0.25, -1.0], [0.1, 0.2, 0.3], [1.5, -0.5, 0.0]], np.float32)
VISIBILITY = np.array([0.9, 0.4, 0.5], np.float32)


def points() -> NormalizedLandmarkList:
    """A list as a graph gives it: its arrays are read-only."""
    found = payloads.NormalizedLandmarkList(XYZ.copy(), VISIBILITY.copy())
    freeze(found)
    return NormalizedLandmarkList.of(found)


def test_a_view_shares_the_arrays_of_the_graph() -> None:
    found = payloads.NormalizedLandmarkList(XYZ.copy(), VISIBILITY.copy())
    seen = NormalizedLandmarkList.of(found)
    assert seen.array is found.xyz
    assert seen.visibility is found.visibility
    assert seen.presence is None


def test_points_one_by_one() -> None:
    landmark = points().landmark
    assert len(landmark) == 3
    assert [(point.x, point.y, point.z) for point in landmark] == [tuple(row) for row in XYZ.tolist()]
    assert isinstance(landmark[0], NormalizedLandmark)
    assert landmark[-1].x == landmark[2].x == 1.5
    assert landmark[np.int64(1)].visibility == pytest.approx(0.4)
    assert [point.x for point in landmark[1:]] == [landmark[1].x, 1.5]
    assert isinstance(landmark[:2], list)
    with pytest.raises(IndexError):
        landmark[3]


def test_fields_that_are_unset_read_as_zero() -> None:
    point = points().landmark[1]
    assert point.HasField("visibility")
    assert not point.HasField("presence")
    assert point.presence == 0.0
    assert point.HasField("x")
    with pytest.raises(ValueError, match=r"no field 'w'; its fields are: x, y, z, visibility, presence"):
        point.HasField("w")


def test_text_is_that_of_mediapipe() -> None:
    """Recorded from protobuf's text of the same numbers."""
    point = NormalizedLandmark(x=0.47366589307785034, y=0.81888497, z=6.76563673e-07, visibility=0.999936)
    assert str(point) == "x: 0.473665893\ny: 0.818884969\nz: 6.76563673e-07\nvisibility: 0.999936\n"
    assert str(LandmarkList([Landmark(x=1, y=float("nan"))])) == "landmark {\n  x: 1\n  y: nan\n  z: 0\n}\n"
    assert repr([point]) == f"[{point}]"


def test_writing_leaves_the_graphs_arrays_alone() -> None:
    seen = points()
    before, point = seen.array, seen.landmark[0]
    point.x, point.y, point.z, point.visibility, point.presence = 1, 2, 3, 0.25, 0.75
    np.testing.assert_array_equal(before, XYZ)
    np.testing.assert_array_equal(seen.array[0], [1, 2, 3])
    assert (point.visibility, point.presence) == (0.25, 0.75)
    assert seen.landmark[1].HasField("visibility")
    assert not seen.landmark[1].HasField("presence")
    written = seen.array
    point.x = 5
    assert seen.array is written, "copied once only"


def test_lists_filled_by_hand() -> None:
    made = NormalizedLandmarkList(landmark=[NormalizedLandmark(x=0.5, y=0.25)])
    made.landmark.extend(points().landmark[:1])
    made.landmark.append(NormalizedLandmark(presence=0.125))
    np.testing.assert_array_equal(made.array, [[0.5, 0.25, 0], [0.5, 0.25, -1], [0, 0, 0]])
    assert [point.HasField("visibility") for point in made.landmark] == [False, True, False]
    assert [point.HasField("presence") for point in made.landmark] == [False, False, True]
    assert made.landmark[1].visibility == pytest.approx(0.9)
    assert len(NormalizedLandmarkList().landmark) == 0
    assert LandmarkList([Landmark(x=1)]).visibility is None


@pytest.mark.parametrize("through", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_stand_alone(through: object) -> None:
    original = points()
    made = through(original)  # type: ignore[operator]
    assert type(made) is NormalizedLandmarkList
    np.testing.assert_array_equal(made.array, XYZ)
    made.landmark[0].x = 7
    assert original.landmark[0].x == 0.5
