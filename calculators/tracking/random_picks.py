"""The random numbers that MediaPipe's RANSACs draw: always the same, from one seed.

C++ leaves the generator to its library; here are `std::default_random_engine` and `std::uniform_int_distribution` as
the GNU library has them, so that the samples are those of MediaPipe on Linux.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..lazy import njit

SEED = 900913

_MODULUS = 2147483647
_FACTOR = 16807


@njit(cache=True, nogil=True)
def draw(state: Any, count: Any) -> Any:
    """The next state of the generator, and a number in 0 ... count - 1."""
    bucket = (_MODULUS - 2) // count
    while True:
        state = state * _FACTOR % _MODULUS
        if state - 1 < bucket * count:
            return state, (state - 1) // bucket


@njit(cache=True, nogil=True)
def _picks(count: Any, picked: Any) -> None:
    state = np.int64(SEED)
    for i in range(len(picked)):
        state, picked[i] = draw(state, count)


def picks(count: int, rounds: int) -> npt.NDArray[np.int64]:
    """The first `rounds` numbers in 0 ... count - 1 after the seed: int64 [rounds].

    Raises:
        ValueError: there is nothing to pick from.
    """
    if count < 1:
        raise ValueError(f"cannot pick one of {count}")
    picked = np.empty(rounds, np.int64)
    _picks(count, picked)
    return picked
