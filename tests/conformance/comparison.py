"""The rules by which an observation is compared with a recorded case, for folders that do not bring their own.

They are those of the README of the recordings: see there what counts as equal.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Comparison = Callable[..., list[str]]
"""`compare(case, observation, bounds=True)` -> what differs, one line each; nothing where the observation conforms."""

_BEFORE_THE_RUN = ("init", "observe", "start")
_INTEGERS = ("int", "uint", "int64", "uint64")
_FLOATS = ("float", "double")
_DEFAULTS: tuple[Any, ...] = (0, 0.0, "", False, [], {}, "0", None)
_TOLERANCE = 1e-6


def load_comparison(folder: Path) -> Comparison:
    """The rules of a folder of cases: its own `compare.py`, else those below."""
    place = folder / "compare.py"
    if not place.is_file():
        return compare
    spec = importlib.util.spec_from_file_location("recorded_comparison", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Comparison = module.compare
    return found


def compare(case: Mapping[str, Any], observation: Mapping[str, Any], bounds: bool = False) -> list[str]:
    """What differs between an observation and what a case expects.

    Args:
        case: a case file's content.
        observation: what was observed, in the layout of the case's `expect`.
        bounds: whether bound changes are compared too, where the case records them.
    """
    expected = case["expect"]
    wanted, seen = expected["error"], observation.get("error")
    seen_in_operations = observation.get("op_errors")
    if wanted and wanted["phase"] in _BEFORE_THE_RUN:
        # opening is asynchronous, so that its failure may show late
        late = wanted["phase"] == "start" and (seen or seen_in_operations)
        early = seen and seen["phase"] in _BEFORE_THE_RUN
        return [] if late or early else [f"expected to fail in {wanted['phase']}, got {seen}"]
    if seen and seen["phase"] in _BEFORE_THE_RUN:
        return [f"unexpected failure: {seen}"]
    found = _error_differences(expected, wanted, seen, seen_in_operations)
    for stream, records in expected["outputs"].items():
        found += _stream_differences(case, stream, records, observation.get("outputs", {}).get(stream, []), bounds)
    for name, packet in expected["side_outputs"].items():
        got = observation.get("side_outputs", {}).get(name)
        if got is None or not same(packet.get("value"), got.get("value"), case.get("tolerance", _TOLERANCE)):
            found.append(f"side packet {name}: {_short(got)}, expected {_short(packet)}")
    return found


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values agree: numbers within the tolerance, messages whatever defaults they leave out."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in {*one, *other}:
            if name in one and name in other:
                if not same(one[name], other[name], tolerance):
                    return False
            elif (one if name in one else other)[name] not in _DEFAULTS:
                return False
        return True
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(x, y, tolerance) for x, y in zip(one, other, strict=True))
    if isinstance(one, bool) or isinstance(other, bool):
        return type(one) is type(other) and one == other
    if isinstance(one, int | float) and isinstance(other, int | float):
        if tolerance >= 1:  # of pixels
            return abs(one - other) <= tolerance
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))
    return bool(one == other) or str(one) == str(other)


def _error_differences(expected: Mapping[str, Any], wanted: Any, seen: Any, seen_in_operations: Any) -> list[str]:
    found = []
    if bool(wanted or expected["op_errors"]) != bool(seen or seen_in_operations):
        found.append(f"error expected: {wanted or expected['op_errors']}, observed: {seen or seen_in_operations}")
    if wanted and seen:
        codes = wanted["code"], seen.get("code", "OTHER")
        if "OTHER" not in codes and codes[0] != codes[1]:
            found.append(f"error code {codes[1]}, expected {codes[0]}")
    return found


def _stream_differences(
    case: Mapping[str, Any],
    stream: str,
    wanted: Sequence[Mapping[str, Any]],
    seen: Sequence[Mapping[str, Any]],
    bounds: bool,
) -> list[str]:
    unstable = case["expect"].get("unstable") or ""
    observed = any(entry["stream"] == stream and entry.get("bounds") for entry in case["observe"])
    if not (bounds and observed and "bounds" not in unstable):
        wanted = [record for record in wanted if not record.get("empty")]
        seen = [record for record in seen if not record.get("empty")]
    if "prefix" in unstable:
        seen = seen[: len(wanted)]
    found = [] if len(wanted) == len(seen) else [f"{stream}: {len(seen)} records, expected {len(wanted)}"]
    tolerance = case.get("tolerance", _TOLERANCE)
    if stream in ("mat", "pad"):
        tolerance = case.get("matrix_tolerance", tolerance)
    for number, (want, got) in enumerate(zip(wanted, seen, strict=False)):
        place = f"{stream}[{number}]@{want['ts']}"
        if want["ts"] != got["ts"]:
            return [*found, f"{stream}[{number}]: ts {got['ts']}, expected {want['ts']}"]
        if bool(want.get("empty")) != bool(got.get("empty")):
            return [*found, f"{place}: packet and bound differ"]
        if "step" in want and got.get("step") != want["step"]:
            found.append(f"{place}: appeared at step {got.get('step')}, expected {want['step']}")
        if want.get("empty"):
            continue
        kinds = _kind(want["type"]), _kind(got.get("type", ""))
        if "vector<proto>" not in kinds and kinds[0] != kinds[1]:
            found.append(f"{place}: type {got.get('type')}, expected {want['type']}")
        elif not same(want["value"], got["value"], tolerance):
            found.append(f"{place}: value {_short(got['value'])}, expected {_short(want['value'])}")
    return found


def _kind(name: str) -> str:
    return "int" if name in _INTEGERS else "float" if name in _FLOATS else name


def _short(value: Any) -> str:
    return f"{value:.200}" if isinstance(value, str) else str(value)[:200]
