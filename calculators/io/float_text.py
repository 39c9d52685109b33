"""float32 arrays as JSON text: the shortest decimals that read back as the same float32."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from ..lazy import njit

_POWERS: npt.NDArray[np.float64] = np.power(10.0, np.arange(23, dtype=np.float64), dtype=np.float64)
"""All powers of ten that float64 holds exactly: dividing by one rounds once, to the float64 nearest the decimal."""

_MAX_TEXT = 32
"""Bytes that hold any number the kernel writes, with its sign, point and separator, and the brackets of its row."""


@njit(cache=True, nogil=True)
def _write_rows(rows: npt.NDArray[np.float32], powers: npt.NDArray[np.float64], out: npt.NDArray[np.uint8]) -> int:
    """Writes `[[a,b],[c,d]]` into `out` and returns its length; -1 where a number is out of the kernel's range."""
    digits = np.empty(24, np.uint8)
    at = 0
    out[at] = 91  # [
    at += 1
    for row in range(rows.shape[0]):
        if row:
            out[at] = 44  # ,
            at += 1
        out[at] = 91
        at += 1
        for column in range(rows.shape[1]):
            if column:
                out[at] = 44
                at += 1
            value = rows[row, column]
            magnitude = abs(np.float64(value))
            if not magnitude < 1e7 or 0.0 < magnitude < 1e-13:
                return -1
            # not for -0.0: it reads back as a float32 that compares equal, and nobody means the sign
            if value < 0:
                out[at] = 45  # -
                at += 1
            leading = 0
            if magnitude > 0.0:
                leading = int(np.floor(np.log10(magnitude)))
            decimals = 0
            mantissa = 0.0
            # 9 significant digits always tell a float32 from its neighbours; most need 7 or 8
            for significant in range(6, 11):
                decimals = significant - 1 - leading
                if decimals < 0:
                    decimals = 0
                mantissa = np.rint(magnitude * powers[decimals])
                if np.float32(mantissa / powers[decimals]) == np.float32(magnitude):
                    break
            whole = np.int64(mantissa)
            while decimals > 0 and whole % 10 == 0:
                whole //= 10
                decimals -= 1
            count = 0
            while whole > 0 or count <= decimals:
                digits[count] = 48 + whole % 10
                whole //= 10
                count += 1
            for position in range(count - 1, -1, -1):
                out[at] = digits[position]
                at += 1
                if position == decimals and position > 0:
                    out[at] = 46  # .
                    at += 1
        out[at] = 93  # ]
        at += 1
    out[at] = 93
    return at + 1


def rows_to_json(rows: npt.NDArray[np.float32]) -> str:
    """The rows as a JSON array of arrays.

    Args:
        rows: float32 [N, K]; NaN and infinities become null, since JSON has no number for them.

    Raises:
        ValueError: the array is not float32 [N, K].

    >>> rows_to_json(np.array([[0.1, 2], [-0.25, 1e-6]], np.float32))
    '[[0.1,2],[-0.25,0.000001]]'
    """
    if rows.ndim != 2 or rows.dtype != np.float32:
        raise ValueError(f"expected float32 [N, K], not {rows.dtype} {list(rows.shape)}")
    out = np.empty(rows.size * _MAX_TEXT + 2 * len(rows) + 3, np.uint8)
    length = _write_rows(np.ascontiguousarray(rows), _POWERS, out)
    if length < 0:
        return _rows_to_json_by_numpy(rows)
    return out[:length].tobytes().decode("ascii")


def _rows_to_json_by_numpy(rows: npt.NDArray[np.float32]) -> str:
    """The same for any float32; slower."""
    numbers = [[float(str(value)) if np.isfinite(value) else None for value in row] for row in rows]
    return json.dumps(numbers, separators=(",", ":"))
