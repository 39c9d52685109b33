"""Which packets stand for which output timestamps: even periods, or periods with jitter.

Timestamps in microseconds. Source: MediaPipe PacketResamplerCalculator and its strategies; the jitter with reflection
is that of arXiv:2002.01147.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from random import Random

from graphflow import timestamp as ts
from graphflow.packet import Packet

_SECOND = 1_000_000


class Sampling(ABC):
    """Chooses packets. `take` sees every packet that arrives, `flush` the end."""

    def __init__(self) -> None:
        self.bound: int | None = None
        """The earliest timestamp a sample may still get, once that is known."""

    @abstractmethod
    def take(self, packet: Packet, last: Packet | None) -> list[Packet]:
        """The samples that are decided now, at their output timestamps, given the packet before this one."""

    @abstractmethod
    def flush(self, last: Packet | None) -> list[Packet]:
        """The samples that the end decides."""


class EvenSampling(Sampling):
    """The packet nearest to each multiple of the period; where a period has none, the one before it again.

    Args:
        frame_rate: samples in a second.
        base: a timestamp the samples are aligned with; None aligns them with the first packet.
        flush_last: whether the last packet is sampled though its period is not over.
    """

    def __init__(self, frame_rate: float, base: int | None, flush_last: bool) -> None:
        super().__init__()
        self._rate = frame_rate
        self._base = base
        self._flush_last = flush_last
        self._first: int | None = None
        self._period = 0

    def take(self, packet: Packet, last: Packet | None) -> list[Packet]:
        now = packet.timestamp
        if self._first is None:
            self._first = now if self._base is None else self._aligned(now, self._base)
        period = self._period_of(now)
        samples: list[Packet] = []
        if period < self._period:
            return samples
        while period > self._period:
            if last is not None:
                samples.append(last.at(self._centre(self._period)))
            self._period += 1
        centre = self._centre(self._period)
        if now >= centre:
            nearer = last is None or now - centre <= centre - last.timestamp
            samples.append((packet if nearer or last is None else last).at(centre))
            self._period += 1
        self.bound = self._centre(self._period)
        return samples

    def flush(self, last: Packet | None) -> list[Packet]:
        if last is None or not self._flush_last or self._period_of(last.timestamp) != self._period:
            return []
        return [last.at(self._centre(self._period))]

    def _aligned(self, timestamp: int, base: int) -> int:
        period = _rounded((timestamp - base) / _SECOND * self._rate)
        return base + _rounded(period / self._rate * _SECOND)

    def _centre(self, period: int) -> int:
        return (self._first or 0) + _rounded(period / self._rate * _SECOND)

    def _period_of(self, timestamp: int) -> int:
        return _rounded((timestamp - (self._first or 0)) / _SECOND * self._rate)


class JitteredSampling(Sampling):
    """The first sample anywhere in the first period, each next one a period later, give or take the jitter.

    Args:
        period: microseconds.
        jitter: as a fraction of the period, 0..1.
        seed: the same seed gives the same samples; the sequence is Python's `random.Random`, not MediaPipe's.
    """

    def __init__(self, period: int, jitter: float, seed: str) -> None:
        super().__init__()
        self._period = period
        self._jitter = jitter
        self._random = Random(seed)
        self._reservoir = _Reservoir(seed)
        self._first_period = True
        self._started = False
        self._next = self._earliest = ts.UNSET

    def take(self, packet: Packet, last: Packet | None) -> list[Packet]:
        now = packet.timestamp
        if self._first_period:
            self._reservoir.add(packet)
        if not self._started:
            self._started = True
            self._earliest = now
            self._next = now + int(self._period * self._random.random())
            return [self._sampled(packet)] if self._next == now else []
        samples = []
        while self._next <= now:
            samples.append(self._sampled(_nearer(packet, last, self._next)))
            self.bound = self._next
        return samples

    def flush(self, last: Packet | None) -> list[Packet]:
        return self._reservoir.sample()

    def _sampled(self, packet: Packet) -> Packet:
        sample = packet.at(self._next)
        self._reservoir.clear()
        self._first_period = False
        self._next += int(self._period * ((1.0 - self._jitter) + 2.0 * self._jitter * self._random.random()))
        return sample


class ReflectedSampling(Sampling):
    """One sample in each period from the first packet on, jittered, and reflected where it would leave its period.

    At the end a period without its sample gets any of its packets, at that packet's own timestamp. Arguments as of
    `JitteredSampling`.
    """

    def __init__(self, period: int, jitter: float, seed: str) -> None:
        super().__init__()
        self._period = period
        self._jitter = int(period * jitter)
        self._random = Random(seed)
        self._reservoir = _Reservoir(seed)
        self._started = False
        self._next = self._earliest = ts.UNSET

    def take(self, packet: Packet, last: Packet | None) -> list[Packet]:
        now = packet.timestamp
        if not self._started or now >= self._earliest:
            self._reservoir.add(packet)
        if not self._started:
            self._started = True
            self._earliest = now
            self._next = now + self._random.randrange(self._period)
            return [self._sampled(packet)] if self._next == now else []
        samples = []
        while self._next <= now:
            samples.append(self._sampled(_nearer(packet, last, self._next)))
            self.bound = self._earliest
        return samples

    def flush(self, last: Packet | None) -> list[Packet]:
        return self._reservoir.sample()

    def _sampled(self, packet: Packet) -> Packet:
        sample = packet.at(self._next)
        self._reservoir.clear()
        self._earliest += self._period
        moved = self._next + self._period + self._random.randrange(2 * self._jitter + 1) - self._jitter
        self._next = _reflected(moved, self._earliest, self._earliest + self._period)
        return sample


class ReproducibleSampling(Sampling):
    """One sample in each period counted from 0, so that a stream cut at a period's edge gives the samples of the whole.

    Arguments as of `JitteredSampling`; the sample is reflected as in `ReflectedSampling`.
    """

    def __init__(self, period: int, jitter: float, seed: str) -> None:
        super().__init__()
        self._period = period
        self._jitter = int(period * jitter)
        self._random = Random(seed)
        self._started = self._sampled = False
        self._next = self._earliest = 0

    def take(self, packet: Packet, last: Packet | None) -> list[Packet]:
        now = packet.timestamp
        if last is None:
            self._begin(now)
            if self._next >= now:
                return []
            self._sampled = True
            return [packet.at(self._next)]
        samples = []
        self._advance(now)
        while not self._sampled and self._next <= now:
            nearer = packet if now - self._next < self._next - last.timestamp else last
            samples.append(nearer.at(self._next))
            self._sampled = True
            self._advance(now)
        self.bound = self._next
        return samples

    def flush(self, last: Packet | None) -> list[Packet]:
        return [] if last is None or self._sampled else [last.at(self._next)]

    def _begin(self, now: int) -> None:
        if self._started:
            return
        self._started = True
        self._next = self._random.randrange(self._period)
        while now >= self._earliest + self._period:
            self._sampled = True
            self._advance(now)

    def _advance(self, now: int) -> None:
        if not self._sampled or now < self._earliest + self._period:
            return
        self._earliest += self._period
        moved = self._next + self._period + self._random.randrange(2 * self._jitter + 1) - self._jitter
        self._next = _reflected(moved, self._earliest, self._earliest + self._period)
        self._sampled = False


class _Reservoir:
    """One packet of those added since it was cleared, each as likely as any other."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)
        self._count = 0
        self._chosen: Packet | None = None

    def add(self, packet: Packet) -> None:
        self._count += 1
        if self._random.randrange(self._count) == 0:
            self._chosen = packet

    def clear(self) -> None:
        self._count = 0

    def sample(self) -> list[Packet]:
        return [self._chosen] if self._count and self._chosen is not None else []


def _nearer(packet: Packet, last: Packet | None, timestamp: int) -> Packet:
    if last is None or packet.timestamp - timestamp <= timestamp - last.timestamp:
        return packet
    return last


def _reflected(timestamp: int, first: int, end: int) -> int:
    if timestamp < first:
        return 2 * first - timestamp - 1
    return 2 * end - timestamp - 1 if timestamp >= end else timestamp


def _rounded(number: float) -> int:
    """The nearest integer, halves away from zero."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
