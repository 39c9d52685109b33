"""Recordings: what goes in comes out again, bit for bit; nothing else does."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from graphflow.calculators import payloads
from graphflow.calculators.payloads import Classification, Detection, NormalizedLandmarkList, NormalizedRect
from graphflow.calculators.video_header import VideoHeader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphflow import Packet
from graphflow.recorded_values import decode, encode
from graphflow.recording import Recording, RecordingError, RecordingFile, payload_type

RNG = np.random.default_rng(1)


def same(one: Any, other: Any) -> bool:
    """Equal in type and bit for bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(value, other[key]) for key, value in one.items())
    if dataclasses.is_dataclass(one):
        names = [field.name for field in dataclasses.fields(one)]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return one == other or (one != one and other != other)


VALUES: list[Any] = [
    None, True, 0, -(2**70), 0.1, -0.0, float("nan"), float("inf"), "ä\n", b"\0\xff", [], (), {}, [1, (2.0, [b"x"])],
    {"id": 3, "points": [np.float32(0.1)]}, {"$": "array"}, {1: "a", "1": "b"},
    np.arange(6, dtype=np.int16).reshape(2, 3)[:, ::2], np.zeros((0, 3), np.float32), np.float64(0.1), np.array("text"),
    np.array([np.nan, -0.0, np.inf], np.float32), RNG.integers(0, 255, (48, 64, 3), np.uint8), np.zeros(9000, ">f8"),
    NormalizedLandmarkList(RNG.random((33, 3), np.float32), RNG.random(33, np.float32)),
    [Detection(RNG.random(4, np.float32), labels=("a", "b"), box_format="pixel")], NormalizedRect(0.1, 0.2, 0.3, 0.4),
    Classification(1, 0.5, "Left"), VideoHeader(1, 2, 29.97),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_bit_for_bit(value: Any) -> None:
    assert same(decode(*encode(value)), value)


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5)
    | hnp.arrays(st.sampled_from([np.int8, np.uint64, ">f4", np.float16, np.complex64, bool, "<U3"]), (2, 1))
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )
)
def test_any_value_comes_back(value: Any) -> None:
    assert same(decode(*encode(value)), value)


def test_every_payload_of_the_shipped_calculators_can_be_recorded() -> None:
    classes = [cls for cls in vars(payloads).values() if isinstance(cls, type) and dataclasses.is_dataclass(cls)]
    assert len(classes) >= 6
    for cls in classes:
        value = cls.__new__(cls)
        for field in dataclasses.fields(cls):
            object.__setattr__(value, field.name, 1)
        assert same(decode(*encode(value)), value)


@dataclasses.dataclass(frozen=True)
class Mine:
    points: list[Any]


def test_a_type_of_ones_own_is_registered_first() -> None:
    with pytest.raises(RecordingError, match=r"cannot hold Mine: .* registered with graphflow.recording.payload_type"):
        encode([Mine([1])])
    payload_type(Mine)
    assert same(decode(*encode(Mine([np.float32(1)]))), Mine([np.float32(1)]))
    with pytest.raises(TypeError, match="object is no dataclass"):
        payload_type(object)


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([object()]), type, print])
def test_what_cannot_be_held_is_refused(value: Any) -> None:
    with pytest.raises(RecordingError, match="a recording cannot hold"):
        encode(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"$":"object","type":"os:system","fields":{}}', "os:system, which this program does not know"),
        (b'{"$":"object","type":"graphflow.calculators.payloads:Iterator","fields":{}}', "does not know"),
        (b'{"$":"array","dtype":"|O","shape":[1],"size":0}', "damaged"),
        (b'{"$":"array","dtype":"<f4","shape":[9],"size":36}', "bytes are missing"),
        (b'{"$":"code"}', "unknown kind 'code'"),
        (b"[1,", "damaged"),
    ],
)
def test_a_file_from_elsewhere_can_do_nothing(text: bytes, message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        decode(text, b"")


def written(path: Path) -> list[tuple[str, Packet]]:
    packets = [("image", Packet(VALUES[20], 0)), ("mean", Packet(0.5, 0)), ("mean", Packet(float("nan"), 40_000))]
    file = RecordingFile(path, "Graph", ["image", "mean"])
    for stream, packet in packets:
        file.add(stream, packet)
    file.close()
    return packets


def test_a_file_of_packets(tmp_path: Path) -> None:
    packets = written(tmp_path / "run.gfrec")
    recording = Recording(tmp_path / "run.gfrec")
    assert (recording.graph, recording.streams, recording.timestamps()) == ("Graph", ("image", "mean"), [0, 40_000])
    found = list(recording)
    for (name, packet), (expected_name, expected) in zip(found, packets, strict=True):
        assert (name, packet.timestamp) == (expected_name, expected.timestamp)
        assert same(packet.value, expected.value)
    assert not found[0][1].value.flags.writeable


def test_wherever_it_breaks_off_the_packets_before_are_read(tmp_path: Path) -> None:
    path = tmp_path / "run.gfrec"
    packets = written(path)
    data = path.read_bytes()
    counts = []
    for size in range(80, len(data) + 1):
        path.write_bytes(data[:size])
        counts.append(len(list(Recording(path))))
    assert counts == sorted(counts)
    assert set(counts) == set(range(len(packets) + 1))


@pytest.mark.parametrize("data", [b"", b"RIFF", b"graphflow recording 2\n", b"graphflow recording 1\n\x05"])
def test_what_is_no_recording_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "run.gfrec").write_bytes(data)
    with pytest.raises(RecordingError, match=r"is not a recording of this version|breaks off before its first record"):
        Recording(tmp_path / "run.gfrec")
