"""Side packets made, read, defaulted and turned into streams, and streams into side packets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from graphflow.calculators.payloads import Classification, LandmarkList

import graphflow
from graphflow import CalculatorError, GraphConfigError, registry
from graphflow import timestamp as ts
from graphflow.testing import run_calculator

Run = Callable[..., dict[str, list[tuple[int, Any]]]]


def provided(calculator: str, options: Any = None, side: Any = None, outputs: Any = None) -> dict[str, Any]:
    seen = run_calculator(registry.find(calculator), {}, options, side, outputs)
    return {name: packets[0][1] for name, packets in seen.items()}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("StringToInt", "1234", 1234),
        ("StringToInt", " \t-42\n", -42),
        ("StringToInt", "+7", 7),
        ("StringToInt", "-0", 0),
        ("StringToInt", "0" * 300 + "5", 5),
        ("StringToInt32", "-2147483648", -(2**31)),
        ("StringToUint", "4294967295", 2**32 - 1),
        ("StringToUint32", "+0", 0),
        ("StringToInt64", "-9223372036854775808", -(2**63)),
        ("StringToUint64Calculator", "18446744073709551615", 2**64 - 1),
    ],
)
def test_string_to_int(name: str, text: str, expected: int) -> None:
    assert provided(name, side={"": text}) == {"": expected}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(
            ("StringToInt", text)
            for text in ("", " ", "+", "12x", "1 2", "1_0", "--1", "0x1", "1.0", "٣", "2147483648")
        ),
        ("StringToInt", "9" * 100_000),
        ("StringToInt32", "-2147483649"),
        ("StringToUint", "-1"),
        ("StringToUint", "-0"),
        ("StringToUint", "4294967296"),
        ("StringToInt64", "9223372036854775808"),
        ("StringToUint64", "18446744073709551616"),
    ],
)
def test_not_an_integer(name: str, text: str) -> None:
    with pytest.raises(ValueError, match="is not an integer from"):
        provided(name, side={"": text})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"int_value": 2}, 2),
        ({"uint64_value": 2**64 - 1}, 2**64 - 1),
        ({"int64_value": -5}, -5),
        ({"float_value": 0.1}, float(np.float32(0.1))),
        ({"double_value": 0.1}, 0.1),
        ({"bool_value": False}, False),
        ({"string_value": ""}, ""),
        ({"string_vector_value": {"string_value": "one"}}, ["one"]),
        ({"float_vector_value": {"float_value": [0.5, 2]}}, [0.5, 2.0]),
        ({"int_vector_value": {}}, []),
        (
            {"classification_list_value": {"classification": {"index": 1, "score": 0.5, "label": "up"}}},
            [Classification(1, 0.5, "up")],
        ),
        ({"time_series_header_value": {"sample_rate": 16000}}, {"sample_rate": 16000}),
    ],
)
def test_constants(value: Any, expected: Any) -> None:
    seen = provided(
        "ConstantSidePacketCalculator", {"packet": [value, {"int_value": 1}]}, outputs=["PACKET", "PACKET:1"]
    )
    assert seen == {"PACKET": expected, "PACKET:1": 1}
    assert type(seen["PACKET"]) is type(expected)


def test_constants_of_arrays() -> None:
    points = {"landmark_list_value": {"landmark": [{"x": 1, "y": 2}, {"z": 3, "visibility": 0.5}]}}
    matrix = {"matrix_data_value": {"rows": 2, "cols": 3, "packed_data": [1, 2, 3, 4, 5, 6]}}
    by_rows = {"matrix_data_value": {**matrix["matrix_data_value"], "layout": "ROW_MAJOR"}}
    outputs = ["PACKET", "PACKET:1", "PACKET:2"]
    seen = provided("ConstantSidePacket", {"packet": [points, matrix, by_rows]}, outputs=outputs)
    assert isinstance(seen["PACKET"], LandmarkList)
    np.testing.assert_array_equal(seen["PACKET"].xyz, [[1, 2, 0], [0, 0, 3]])
    np.testing.assert_array_equal(seen["PACKET"].visibility, [0, 0.5])
    assert seen["PACKET"].presence is None
    np.testing.assert_array_equal(seen["PACKET:1"], [[1, 3, 5], [2, 4, 6]])
    np.testing.assert_array_equal(seen["PACKET:2"], [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"packet": []}, "0 values in the option 'packet' need as many side outputs, not 1"),
        ({"packet": [{}]}, r"option 'packet.0' sets none of int_value"),
    ],
)
def test_constants_that_are_not_there(options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        provided("ConstantSidePacket", options, outputs=["PACKET"])


def test_a_constant_has_the_type_of_its_kind(run: Run) -> None:
    nodes = """
  constant: {calculator: ConstantSidePacket, side_outputs: {PACKET: allow}, options: {packet: [{string_value: "yes"}]}}
  gate: {calculator: Gate, inputs: [in], side_inputs: {ALLOW: allow}, outputs: [out]}
"""
    with pytest.raises(GraphConfigError, match=r"takes bool, but side packet 'allow' carries str"):
        run(nodes, [("in", 0, 1)])
    right = nodes.replace('string_value: "yes"', "bool_value: true")
    assert run(right, [("in", 0, 1)])["out"] == [(0, 1)]


@pytest.mark.parametrize(("given", "expected"), [({}, 1), ({"OPTIONAL_VALUE": 2}, 2), ({"OPTIONAL_VALUE": 0}, 0)])
def test_default_side_packet(given: Any, expected: int) -> None:
    assert provided("DefaultSidePacketCalculator", side={"DEFAULT_VALUE": 1, **given}) == {"VALUE": expected}


@pytest.mark.parametrize(
    ("tag", "side", "timestamp"),
    [
        ("AT_PRESTREAM", {"a": 7, "b": 8}, ts.PRESTREAM),
        ("AT_POSTSTREAM", {"a": 7, "b": 8}, ts.POSTSTREAM),
        ("AT_ZERO", {"a": 7, "b": 8}, 0),
        ("AT_TIMESTAMP", {"a": 7, "b": 8, "at": 123}, 123),
    ],
)
def test_side_packets_at_a_time(run: Run, tag: str, side: dict[str, int], timestamp: int) -> None:
    more = ", TIMESTAMP: at" if "at" in side else ""
    nodes = f"""
  stream:
    calculator: SidePacketToStream
    side_inputs: {{'': [a, b]{more}}}
    outputs: {{{tag}: [out, out_b]}}
  pass: {{calculator: PassThrough, inputs: [in], outputs: [passed]}}
"""
    seen = run(nodes, [("in", 0, 0)], ["out", "out_b"], side)
    assert seen == {"out": [(timestamp, 7)], "out_b": [(timestamp, 8)]}


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("AT_TICK", [(3, 7), (5, None), (6, 7), (8, None)]),
        ("AT_FIRST_TICK", [(3, 7)]),
    ],
)
def test_side_packets_at_ticks(run: Run, tag: str, expected: list[Any]) -> None:
    nodes = f"""
  stream: {{calculator: SidePacketToStream, inputs: {{TICK: in}}, side_inputs: [a], outputs: {{{tag}: out}}}}
"""
    seen = run(nodes, [("in", 3, 0), ("in", 6), ("in", 6, 0), ("in", 9)], side={"a": 7}, bounds=True)
    assert seen["out"] == expected


@pytest.mark.parametrize(
    ("inputs", "side", "outputs", "message"),
    [
        ("{}", "[a]", "{AT_TICK: out}", "the input TICK goes with"),
        ("{TICK: in}", "[a]", "{AT_ZERO: out}", "the input TICK goes with"),
        ("{}", "[a]", "{AT_TIMESTAMP: out}", "the side input TIMESTAMP goes with"),
        ("{}", "[a]", "{AT_ZERO: out, AT_PRESTREAM: early}", "outputs of one tag, not of 2"),
        ("{}", "[a, a]", "{AT_ZERO: out}", "2 side packets need as many outputs, not 1"),
    ],
)
def test_what_does_not_go_together(run: Run, inputs: str, side: str, outputs: str, message: str) -> None:
    nodes = f"""
  stream: {{calculator: SidePacketToStream, inputs: {inputs}, side_inputs: {side}, outputs: {outputs}}}
"""
    with pytest.raises(GraphConfigError, match=message):
        run(nodes, [("in", 0, 0)], side={"a": 7})


TO_SIDE = """
graph: Test
inputs: [in, later]
outputs: [out]
nodes:
  side: {calculator: StreamToSidePacket, inputs: [in], side_outputs: [found]}
  stamp: {calculator: SidePacketToStream, inputs: {TICK: later}, side_inputs: [found], outputs: {AT_TICK: out}}
"""


def test_a_stream_becomes_a_side_packet() -> None:
    graph = graphflow.load(TO_SIDE)
    seen: list[tuple[int, Any]] = []
    graph.observe("out", lambda packet: seen.append((packet.timestamp, packet.value)))
    graph.start()
    graph.add_packet("later", 0, 5)
    graph.wait_until_idle()
    assert seen == []
    graph.add_packet("in", "value", 99)
    graph.close_all_inputs()
    graph.wait_until_done()
    assert seen == [(5, "value")]
    assert graph.side_packet("found") == "value"


def test_a_side_packet_is_provided_once() -> None:
    graph = graphflow.load(TO_SIDE)
    graph.start()
    graph.add_packet("in", "value", 1)
    with pytest.raises(CalculatorError, match="second packet"):
        for attempt in range(2, 5):
            graph.add_packet("in", "value", attempt)
            graph.wait_until_idle()
    graph.close_all_inputs()
    with pytest.raises(CalculatorError, match="second packet"):
        graph.wait_until_done()


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ({"MAX_COUNT": 3}, [0, 1, 2]),
        ({"MAX_COUNT": 0}, []),
        ({"MAX_COUNT": 2, "INITIAL_VALUE": 10, "INCREMENT": 5, "BATCH_SIZE": 2}, [10, 15, 20, 25]),
    ],
)
def test_counting(side: dict[str, int], expected: list[int]) -> None:
    seen = run_calculator(registry.find("CountingSourceCalculator"), {}, side_inputs=side)
    assert seen[""] == [(number, number) for number in expected]


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ({}, "connect MAX_COUNT or ERROR_COUNT"),
        ({"ERROR_COUNT": 2}, "after 2 batches"),
        ({"MAX_COUNT": 1, "ERROR_ON_OPEN": True}, "ERROR_ON_OPEN"),
        ({"MAX_COUNT": -1}, "MAX_COUNT must be at least 0"),
        ({"MAX_COUNT": 1, "INCREMENT": 0}, "INCREMENT must be at least 1"),
        ({"MAX_COUNT": 1, "BATCH_SIZE": 0}, "BATCH_SIZE must be at least 1"),
    ],
)
def test_counting_that_fails(side: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run_calculator(registry.find("CountingSource"), {}, side_inputs=side)
