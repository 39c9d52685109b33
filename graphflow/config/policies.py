"""The input policies there are, their options, and what MediaPipe calls them."""

from __future__ import annotations

from typing import Final

POLICY_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "default": ("batch_size",),
    "immediate": (),
    "sync_sets": ("sync_set",),
    "fixed_size": ("trigger_queue_size", "target_queue_size", "fixed_min_size"),
    "barrier": (),
    "early_close": (),
    "mux": (),
    "timestamp_align": ("timestamp_base_tag_index",),
}
"""The options each input policy takes, by the policy's name."""

HANDLER_POLICIES: Final[dict[str, str]] = {
    "DefaultInputStreamHandler": "default",
    "ImmediateInputStreamHandler": "immediate",
    "SyncSetInputStreamHandler": "sync_sets",
    "FixedSizeInputStreamHandler": "fixed_size",
    "BarrierInputStreamHandler": "barrier",
    "EarlyCloseInputStreamHandler": "early_close",
    "MuxInputStreamHandler": "mux",
    "TimestampAlignInputStreamHandler": "timestamp_align",
}
"""The input policy that does what a MediaPipe input stream handler does."""
