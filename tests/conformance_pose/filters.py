"""Filters of trajectories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from graphflow.calculators.filters.low_pass import LowPassFilter
from graphflow.calculators.filters.one_euro import OneEuroFilter
from graphflow.calculators.filters.relative_velocity import RelativeVelocityFilter
from graphflow.calculators.filters.savitzky_golay import CausalSavitzkyGolay, coefficients, smooth

from .cases import Array, Case, differences
from .runner import arrays_are_there

_DOUBLE, _FLOAT = 1e-9, 1e-5


def _signal(case: Case) -> tuple[Array, Array]:
    holder = case if case.inputs else case.other("input")
    return holder.input("signal"), holder.input("timestamps_us")


def _centred(case: Case) -> Iterator[str]:
    signal = case.topic.cases["signal"].input("signal")
    params = case.params
    got = smooth(signal, params["window"], params["order"], params["mode"])
    yield from differences("filtered", got, case.output("filtered"), _DOUBLE)


def _causal(case: Case) -> Iterator[str]:
    signal = case.topic.cases["signal"].input("signal")
    window, order, derivative = (case.params[name] for name in ("window", "order", "derivative"))
    got = coefficients(window, order, case.params["position"], derivative)
    yield from differences("coefficients", got, case.output("coefficients"), _DOUBLE)
    stream = CausalSavitzkyGolay(window, order, derivative=derivative, unit_spacing=True)
    filtered = [stream.apply(index * 33_333, row) for index, row in enumerate(signal)]
    rows = [np.full(signal.shape[1], np.nan) if row is None else row for row in filtered]
    yield from differences("filtered", rows, case.output("filtered"), _DOUBLE)


def _low_pass(case: Case) -> Iterator[str]:
    signal, _ = _signal(case)
    threshold = case.params.get("threshold")
    stream = LowPassFilter(case.params["alpha"], threshold)
    got = [stream.apply(row if threshold else row.astype(np.float32)) for row in signal]
    yield from differences("filtered", got, case.output("filtered"), _DOUBLE if threshold else _FLOAT)


def _one_euro_of_the_paper(case: Case) -> Iterator[str]:
    params = case.params
    numbers = (params["freq"], params["mincutoff"], params["beta"], params["dcutoff"])
    stream = OneEuroFilter(*numbers, reference="paper")
    if "noisy" in case.inputs:
        signal, times = case.input("noisy")[:, None], case.input("timestamps_s") * 1e6
    else:
        signal, times = _signal(case)
    got = np.array([stream.apply(float(time), row) for time, row in zip(times, signal, strict=True)])
    yield from differences("filtered", got.reshape(case.output("filtered").shape), case.output("filtered"), _DOUBLE)
    if "filtered_in_file" in case.outputs:  # of another program, which the note says is this far from Python's
        apart = np.abs(got.reshape(-1) - case.output("filtered_in_file")).max()
        if f"{apart:.2e}" not in case.document["note"]:
            yield f"filtered_in_file: {apart:.2e} away, but the note says: {case.document['note']}"


def _one_euro(case: Case) -> Iterator[str]:
    params = case.params
    signal, times = _signal(case)
    numbers = (params["frequency"], params["minCutOff"], params["beta"], params["derivateCutOff"])
    thresholds = (params.get("thresholdCutOff"), params.get("thresholdBeta", 0.0))
    stream = OneEuroFilter(*numbers, "tfjs", *thresholds)
    rows = zip(times, signal, strict=True)
    got = [stream.apply(int(time), row, params["value_scale"]) for time, row in rows]
    yield from differences("filtered", got, case.output("filtered"), _DOUBLE)
    if thresholds[0] is None and times[0] > 0:  # MediaPipe's own arithmetic
        stream = OneEuroFilter(*numbers)
        single = signal.astype(np.float32)
        got = [stream.apply(int(time), row, params["value_scale"]) for time, row in zip(times, single, strict=True)]
        yield from differences("filtered as MediaPipe does", got, case.output("filtered"), _FLOAT)


def _relative_velocity(case: Case) -> Iterator[str]:
    signal, times = _signal(case)
    stream = RelativeVelocityFilter(case.params["windowSize"], case.params["velocityScale"], "tfjs")
    rows = zip(times, signal, strict=True)
    got = [stream.apply(int(time), row, case.params["value_scale"]) for time, row in rows]
    yield from differences("filtered", got, case.output("filtered"), _DOUBLE)


CHECKS = {
    "shared inputs": arrays_are_there,
    "savgol centred": _centred,
    "savgol causal": _causal,
    "low pass": _low_pass,
    "low pass with threshold": _low_pass,
    "one euro (Casiez et al.)": _one_euro_of_the_paper,
    "one euro (MediaPipe, tfjs)": _one_euro,
    "relative velocity": _relative_velocity,
}
