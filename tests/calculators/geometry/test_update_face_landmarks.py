import numpy as np
import pytest
from graphflow.calculators.geometry.update_face_landmarks import EYE_INDICES, UpdateFaceLandmarks
from graphflow.calculators.payloads import NormalizedLandmarkList

from graphflow.testing import run_calculator

FACE = NormalizedLandmarkList(np.zeros((468, 3), np.float32))
EYES = NormalizedLandmarkList(np.arange(1, 142 * 3 + 1, dtype=np.float32).reshape(142, 3))


def update(face: NormalizedLandmarkList, eyes: NormalizedLandmarkList) -> NormalizedLandmarkList:
    fed = {"FACE_LANDMARKS": [(0, face)], "NEW_EYE_LANDMARKS": [(0, eyes)]}
    ((_, updated),) = run_calculator(UpdateFaceLandmarks, fed)["UPDATED_FACE_LANDMARKS"]
    return updated  # type: ignore[no-any-return]


def test_eyes_take_their_places_and_nothing_else_changes() -> None:
    assert len(set(EYE_INDICES.tolist())) == 142
    xyz = update(FACE, EYES).xyz
    assert (xyz[[33, 133, 263, 362]] == EYES.xyz[[0, 8, 71, 79]]).all()
    assert (xyz[EYE_INDICES] == EYES.xyz).all()
    assert not np.delete(xyz, EYE_INDICES, axis=0).any()
    assert not FACE.xyz.any()


def test_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="468 face and 142 eye landmarks, not 142 and 142"):
        update(EYES, EYES)


def test_nothing_without_both() -> None:
    assert not run_calculator(UpdateFaceLandmarks, {"FACE_LANDMARKS": [(0, FACE)]})["UPDATED_FACE_LANDMARKS"]
