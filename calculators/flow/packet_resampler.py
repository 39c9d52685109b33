"""PacketResampler: a stream at another rate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from graphflow import Calculator, Context, Input, Option, Output, SideInput
from graphflow import timestamp as ts
from graphflow.context import Binding
from graphflow.packet import Packet

from .sampling import EvenSampling, JitteredSampling, ReflectedSampling, ReproducibleSampling, Sampling
from .stream_options import merge_options

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a video says about itself before its frames: pixels, seconds, frames in a second; 0 where unknown."""

    format: str = ""
    width: int = 0
    height: int = 0
    duration: float = 0.0
    frame_rate: float = 0.0


class PacketResampler(Calculator):
    """Drops and repeats packets so that they come at `frame_rate`, the ones nearest to the new timestamps.

    With `jitter` the timestamps vary at random. The same SEED gives the same ones; the random sequence is our own, as
    MediaPipe's public build has no generator. The data goes in and out on DATA, or without a tag. Source: MediaPipe
    PacketResamplerCalculator.
    """

    timestamp_offset = None
    reads_headers = True

    data = Input("DATA", doc="the packets; this or the untagged input", optional=True)
    untagged = Input("", doc="the packets", optional=True)
    header = Input("VIDEO_HEADER", VideoHeader, "at PRESTREAM, with the frame rate of the input", optional=True)
    options_side = SideInput("OPTIONS", dict, "options for the run, by name", optional=True)
    seed = SideInput("SEED", str, "for jitter", optional=True)
    resampled_data = Output("DATA", doc="the packets at the new rate; this or the untagged output", optional=True)
    resampled = Output("", doc="the packets at the new rate", optional=True)
    new_header = Output("VIDEO_HEADER", VideoHeader, "at PRESTREAM, with the new frame rate", optional=True)

    frame_rate: float = Option(-1.0, "packets in a second")
    output_header: Literal["NONE", "PASS_HEADER", "UPDATE_VIDEO_HEADER"] = Option(
        "NONE", "whether the output's header is the input's, with the new frame rate where it is a VideoHeader"
    )
    flush_last_packet: bool = Option(True, "whether the last packet goes out though its period is not over; no jitter")
    jitter: float = Option(0.0, "how far timestamps vary, as a fraction of the period, 0..1")
    jitter_with_reflection: bool = Option(False, "whether each period keeps exactly one packet in spite of the jitter")
    reproducible_sampling: bool = Option(False, "whether a cut of the stream gives the same packets; with reflection")
    base_timestamp: int | None = Option(None, "timestamp to align with; default the first packet's; no jitter")
    start_time: int | None = Option(None, "outputs before it are left out")
    end_time: int | None = Option(None, "outputs from it on are left out")
    round_limits: bool = Option(False, "whether the outputs nearest to start_time and end_time are kept on both sides")
    use_input_frame_rate: bool = Option(False, "whether the rate is that of VIDEO_HEADER")
    max_frame_rate: float = Option(-1.0, "the rate is at most this")

    def check(self, binding: Binding) -> Iterable[str]:
        slots = binding.slots
        if (self.data in slots) == (self.untagged in slots):
            yield "connect the input DATA or the untagged one"
        if (self.resampled_data in slots) == (self.resampled in slots):
            yield "connect the output DATA or the untagged one"
        if not 0.0 <= self.jitter <= 1.0:
            yield f"jitter must be in 0..1, not {self.jitter}"
        if (self.jitter or self.reproducible_sampling) and self.seed not in slots:
            yield "jitter needs the side input SEED"

    def open(self, context: Context) -> None:
        merge_options(self, context[self.options_side])
        self._input = self.data if context.is_connected(self.data) else self.untagged
        self._output = self.resampled_data if context.is_connected(self.resampled_data) else self.resampled
        if self.output_header != "NONE":
            header = context.header(self._input)
            if self.output_header == "UPDATE_VIDEO_HEADER" and isinstance(header, VideoHeader):
                header = replace(header, frame_rate=self.frame_rate)
            context.set_header(self._output, header)
        self._header = VideoHeader()
        self._header_sent = False
        self._last: Packet | None = None
        self._bound = ts.PRESTREAM
        self._sampling = self._new_sampling(self.frame_rate, context[self.seed])

    def process(self, context: Context) -> None:
        header = context[self.header]
        if header is not None and context.timestamp == ts.PRESTREAM:
            self._header = header
            if self.use_input_frame_rate:
                self._sampling = self._new_sampling(header.frame_rate, context[self.seed])
        packet = context.packet(self._input)
        if packet.empty:
            return
        if not self._header_sent:
            self._header_sent = True
            context.emit(self.new_header, replace(self._header, frame_rate=self._rate), ts.PRESTREAM)
        if context.timestamp == ts.PRESTREAM:
            raise ValueError("packets are resampled by their timestamps; one at PRESTREAM has none")
        self._emit(context, self._sampling.take(packet, self._last))
        bound = self._sampling.bound
        if bound is not None and bound > self._bound:
            context.set_bound(self._output, bound)
            self._bound = bound
        self._last = packet

    def close(self, context: Context) -> None:
        self._emit(context, self._sampling.flush(self._last))

    def _emit(self, context: Context, samples: Iterable[Packet]) -> None:
        margin = self._period // 2 if self.round_limits else 0
        first = ts.MIN if self.start_time is None else self.start_time - margin
        end = ts.MAX if self.end_time is None else self.end_time + margin
        for sample in samples:
            if first <= sample.timestamp < end:
                context.emit_packet(self._output, sample)
                self._bound = ts.next_allowed_in_stream(sample.timestamp)

    def _new_sampling(self, rate: float, seed: str | None) -> Sampling:
        if self.max_frame_rate > 0:
            rate = min(rate, self.max_frame_rate)
        if not 0 < rate <= _SECOND:
            raise ValueError(f"the frame rate must be above 0 and at most {_SECOND}, not {rate}")
        self._rate = rate
        self._period = int(_SECOND / rate)
        if not self.jitter and not self.reproducible_sampling:
            return EvenSampling(rate, self.base_timestamp, self.flush_last_packet)
        if seed is None:
            raise ValueError("jitter needs the side input SEED")
        if self.reproducible_sampling:
            return ReproducibleSampling(self._period, self.jitter, seed)
        kind = ReflectedSampling if self.jitter_with_reflection else JitteredSampling
        return kind(self._period, self.jitter, seed)
