from pathlib import Path

import numpy as np
import pytest

from graphflow import CalculatorError, GraphflowError
from graphflow.testing import run_graph

GRAPHS = Path(__file__).parents[1] / "graphs"
JOIN = """
graph: Join
inputs: [a, b]
outputs: [pair]
nodes: {pair: {calculator: MakePair, inputs: [a, b], outputs: [pair]}}
"""


@pytest.mark.parametrize("num_threads", [1, 4])
def test_packets_of_several_inputs_in_simulated_time(num_threads: int) -> None:
    inputs = {"a": [(0, 1), (3_600_000_000, 2)], "b": [(0, "x"), (10, "y"), (3_600_000_000, "z")]}
    pairs = [(0, (1, "x")), (10, (None, "y")), (3_600_000_000, (2, "z"))]
    assert run_graph(JOIN, inputs, num_threads=num_threads) == {"pair": pairs}


def test_parameters_options_and_inner_streams() -> None:
    images = [(number * 40_000, np.full((2, 2, 3), 50 * number, np.uint8)) for number in range(4)]
    found = run_graph(
        GRAPHS / "brightness.yaml", {"image": images}, params={"threshold": 10}, overrides={"bright.threshold": 99},
        outputs=["bright", "mean"],
    )  # fmt: skip
    assert found == {"bright": [(80_000, 100), (120_000, 150)], "mean": [(n * 40_000, 50 * n) for n in range(4)]}


def test_bounds_show_where_nothing_came() -> None:
    images = [(number, np.full((2, 2, 3), 150 * number, np.uint8)) for number in range(2)]
    found = run_graph(GRAPHS / "brightness.yaml", {"image": images}, outputs=["bright"], bounds=True)
    assert found["bright"][:2] == [(0, None), (1, 150)]


def test_what_ends_the_run_is_raised() -> None:
    images = [(number, np.zeros((2, 2, 3), np.uint8)) for number in range(300)]
    with pytest.raises(CalculatorError, match=r"'measure'.*at timestamp 3"):
        run_graph(GRAPHS / "brightness.yaml", {"image": images}, overrides={"measure.fail_at": 3}, outputs=["mean"])
    with pytest.raises(GraphflowError, match="has no input 'frames'; its inputs are: image"):
        run_graph(GRAPHS / "brightness.yaml", {"frames": images}, outputs=["mean"])
    with pytest.raises(GraphflowError, match="has no stream 'depth'"):
        run_graph(GRAPHS / "brightness.yaml", {"image": images}, outputs=["depth"])


def test_side_packets(tmp_path: Path) -> None:
    (tmp_path / "shift.yaml").write_text(f"""
graph: Shift
inputs: [number]
side_inputs: {{OFFSET: offset}}
outputs: [shifted]
nodes:
  shift:
    calculator: {GRAPHS}/calculators.py:Offset
    inputs: {{VALUE: number}}
    side_inputs: {{OFFSET: offset}}
    outputs: {{RESULT: shifted}}
""")
    found = run_graph(tmp_path / "shift.yaml", {"number": [(0, 1.0)]}, side_packets={"offset": 5})
    assert found == {"shifted": [(0, 6)]}
