"""The coordinates page: its code runs, what it says is so, and its picture is what its script draws."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from solutions.side_by_side import lay_out

from graphflow.errors import ModelError
from graphflow.inference import ModelStore

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def models() -> None:
    """The models, or no test."""
    try:
        ModelStore().fetch()
    except ModelError as error:
        pytest.skip(f"the models cannot be had: {error}")


@pytest.fixture
def names(models: None, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page's code leaves behind."""
    lay_out(shared / "data", tmp_path)
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    text = (DOCS / "coordinates.md").read_text("utf-8")
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        exec(block, found)
    return found


def test_the_code_of_the_page(names: dict[str, Any]) -> None:
    points, world = names["points_px"], names["world"]
    assert points.shape == world.shape == (33, 3)
    nose = points[0]
    assert (abs(nose[:2] - (463, 287)) < 2).all()
    assert 0 <= names["elbow_deg"] <= 180
    assert names["labels"] == ["Left", "Left"]
    unmirrored = names["mp"].solutions.hands.Hands(static_image_mode=True).process(names["hands_image"])
    theirs = sorted(float(hand.array[0, 0]) for hand in unmirrored.multi_hand_landmarks)
    assert sorted(float(x[0]) for x in names["x_in_hands_image"]) == pytest.approx(theirs, abs=0.01)


def test_left_is_the_persons_own_but_for_hands(names: dict[str, Any], shared: Path) -> None:
    solutions = names["mp"].solutions
    image = cv2.imread(str(shared / "data" / "images" / "gesture_none_00c84257.jpg"))
    assert image is not None
    seen = {}
    with solutions.holistic.Holistic(static_image_mode=True) as holistic, solutions.hands.Hands(True) as hands:
        for mirrored in (False, True):
            picture = cv2.cvtColor(image[:, ::-1] if mirrored else image, cv2.COLOR_BGR2RGB)
            both, each = holistic.process(picture), hands.process(picture)
            body = both.left_hand_landmarks.array[0, 0] > both.right_hand_landmarks.array[0, 0]
            labelled = zip(each.multi_handedness, each.multi_hand_landmarks, strict=True)
            rightmost = max(labelled, key=lambda pair: pair[1].array[0, 0])
            seen[mirrored] = (bool(body), rightmost[0].classification[0].label)
    # the person faces the camera: the own left hand is on the right of the picture, on the left of the mirrored one
    assert seen == {False: (True, "Right"), True: (True, "Right")}


@pytest.mark.usefixtures("models")
def test_the_picture_is_what_its_script_draws() -> None:
    pytest.importorskip("skimage", reason="the photograph is in scikit-image: pip install 'graphflow[demo]'")
    kept = cv2.imread(str(DOCS / "coordinates.png"))
    assert kept is not None
    drawn = cv2.cvtColor(runpy.run_path(str(DOCS / "coordinates.py"))["draw"](), cv2.COLOR_RGB2BGR)
    assert drawn.shape == kept.shape
    # letters differ between versions of OpenCV
    assert (np.abs(drawn.astype(int) - kept).max(axis=2) > 40).mean() < 0.01
    assert (DOCS / "coordinates.png").stat().st_size < 200_000
