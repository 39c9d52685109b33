"""What `graphflow new` writes; `@Name@`, `@name@` and `@kebab-name@` are the name as it is written in each place."""

from __future__ import annotations

from typing import Final

GRAPH: Final = """\
# yaml-language-server: $schema=@schema@
# Check it:   graphflow check @name@.yaml
# Run it:     graphflow run @name@.yaml -i sample:astronaut -o overlay.mp4
# Look at it: graphflow draw @name@.yaml -o @name@.html
graph: @Name@
doc: Body landmarks of the most prominent person, drawn over the image.
params:
  min_confidence: 0.5       # the detector's score for a person to be found
inputs:
  IMAGE: image
outputs:
  POSE_LANDMARKS: pose_landmarks
  OVERLAY: overlay
nodes:
  # A subgraph: "graphflow describe PoseLandmarks" says what else it gives, "graphflow list" what else there is.
  pose:
    calculator: PoseLandmarks
    inputs: {IMAGE: image}
    outputs: {LANDMARKS: pose_landmarks}
    options: {min_detection_confidence: $min_confidence}

  # For people to look at.
  overlay:
    calculator: LandmarksRenderer
    inputs: {IMAGE: image, POSE_LANDMARKS: pose_landmarks}
    outputs: {IMAGE: overlay}
"""

CALCULATOR: Final = '''\
"""@Name@, for graphs: `calculator: @reference@`."""

from graphflow import Calculator, Context, Input, Option, Output
from graphflow.calculators.payloads import NormalizedLandmarkList


class @Name@(Calculator):
    """Says how high a landmark is in the image."""

    landmarks = Input("LANDMARKS", NormalizedLandmarkList, "of a body, a hand or a face")
    height = Output("HEIGHT", float, "0 at the lower edge of the image, 1 at the upper one")
    index: int = Option(0, "which landmark; 0 is a body's nose")

    def process(self, context: Context) -> None:
        landmarks = context[self.landmarks]
        if landmarks is None:  # nobody was found at this timestamp
            return
        context[self.height] = 1.0 - float(landmarks.xyz[self.index, 1])
'''

FUNCTION: Final = '''\
"""@Name@, for graphs: `calculator: @reference@`."""

from typing import Annotated, NamedTuple

from graphflow import calculator
from graphflow.calculators.payloads import NormalizedLandmarkList


class Heights(NamedTuple):
    """The outputs: each field is one, its tag is the name in upper case."""

    height: Annotated[float, "0 at the lower edge of the image, 1 at the upper one"]


@calculator
def @name@(
    landmarks: Annotated[NormalizedLandmarkList, "of a body, a hand or a face"],
    *,
    index: Annotated[int, "which landmark; 0 is a body's nose"] = 0,
) -> Heights:
    """Says how high a landmark is in the image."""
    return Heights(1.0 - float(landmarks.xyz[index, 1]))
'''

TEST: Final = '''\
"""@Name@ on packets made up for it."""

import numpy as np
import pytest
from graphflow.calculators.payloads import NormalizedLandmarkList
from graphflow.testing import run_calculator

from @module@ import @symbol@


def landmarks(*heights: float) -> NormalizedLandmarkList:
    """Landmarks in the middle of the image; y points down there."""
    return NormalizedLandmarkList(np.array([[0.5, 1.0 - height, 0.0] for height in heights], np.float32))


@pytest.mark.parametrize(("index", "expected"), [(0, 0.9), (1, 0.25)])
def test_height_of_a_landmark(index: int, expected: float) -> None:
    packets = [(1000, landmarks(0.9, 0.25))]
    found = run_calculator(@symbol@, {"LANDMARKS": packets}, {"index": index}, outputs=["HEIGHT"])
    assert found["HEIGHT"] == [(1000, pytest.approx(expected))]
'''

TEST_OF_GRAPH: Final = '''

def test_the_graph_is_right() -> None:
    found = config.examine(Path(__file__).parent / "@name@.yaml")
    assert not found.problems
    assert not found.warnings
'''

TEST_OF_ENTRY_POINT: Final = '''

def test_graphs_find_it_by_name() -> None:
    assert registry.find("@Name@") is @symbol@
'''

USING_GRAPH: Final = """\
# yaml-language-server: $schema=@schema@
# Run it: graphflow run @name@.yaml -i sample:astronaut --save results.jsonl
graph: @Name@OfAPerson
doc: How high the nose of the most prominent person is in the image.
params:
  landmark: 0               # 0 is the nose, 15 the left wrist, 16 the right one
inputs:
  IMAGE: image
outputs:
  HEIGHT: height
nodes:
  # Where the body is.
  pose:
    calculator: PoseLandmarks
    inputs: {IMAGE: image}
    outputs: {LANDMARKS: pose_landmarks}

  # What this graph is about.
  @name@:
    calculator: @reference@
    inputs: {LANDMARKS: pose_landmarks}
    outputs: {HEIGHT: height}
    options: {index: $landmark}
"""

PLUGIN_PROJECT: Final = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "graphflow-@kebab-name@"
version = "0.1.0"
description = "Calculators for graphflow"
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["graphflow"]

[project.optional-dependencies]
test = ["pytest"]

# Graphs find these by the name on the left once the package is installed.
[project.entry-points."graphflow.calculators"]
@Name@ = "graphflow_@name@.@name@:@Name@"

[tool.setuptools.packages.find]
where = ["src"]
"""

PLUGIN_PACKAGE: Final = '''\
"""Calculators for graphflow."""
'''

PLUGIN_README: Final = """\
# graphflow-@kebab-name@

Calculators for [graphflow](https://pypi.org/project/graphflow/).

| calculator | what it does |
|---|---|
| `@Name@` | Says how high a landmark is in the image. |

    pip install graphflow-@kebab-name@
    graphflow describe @Name@

In a graph:

```yaml
height:
  calculator: @Name@
  inputs: {LANDMARKS: pose_landmarks}
  outputs: {HEIGHT: height}
```

A whole graph is in `examples/@name@.yaml`. To work on it: `pip install -e '.[test]' && pytest`.
A further calculator is a further file in `src/graphflow_@name@/` and a further line under
`[project.entry-points."graphflow.calculators"]` in `pyproject.toml`; after that line install again.
"""
