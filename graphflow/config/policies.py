"""The input policies there are, their options, and what MediaPipe calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from graphflow.config.spec import PolicySpec, is_readable
from graphflow.config.suggestions import did_you_mean

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

_COUNTS: Final = ("batch_size", "trigger_queue_size", "target_queue_size")


def policy_mistakes(policy: PolicySpec, tags: Collection[tuple[str, int]] | None) -> Iterator[tuple[str, str]]:
    """What is wrong with a policy, as message and hint.

    Args:
        policy: as written, parameters replaced.
        tags: the (tag, index) of the node's inputs; None where it is the policy of a whole graph.
    """
    known = POLICY_OPTIONS.get(policy.name)
    if known is None:
        near = did_you_mean(policy.name, POLICY_OPTIONS)
        yield f"unknown input policy '{policy.name}'", f"{near} policies: {', '.join(POLICY_OPTIONS)}".strip()
        return
    for option in policy.options:
        if option not in known:
            hint = did_you_mean(option, known, "options") or "it takes none"
            yield f"input policy {policy.name} has no option '{option}'", hint
    for option in set(_COUNTS).intersection(policy.options, known):
        value = policy.options[option]
        if is_readable(value) and not (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
            yield f"option '{option}' of input policy {policy.name} must be a whole number from 1, not {value!r}", ""
    if tags is not None:
        yield from _unknown_inputs(policy, tags)


def sync_sets(options: Mapping[str, Any]) -> list[list[str]]:
    """The inputs that `sync_set` names, group by group, each as `TAG` or `TAG:index`."""
    groups = options.get("sync_set", [])
    named = [
        group.get("tag_index", []) if isinstance(group, Mapping) else []
        for group in (groups if isinstance(groups, list) else [groups])
    ]
    return [[str(name) for name in (names if isinstance(names, list) else [names])] for names in named]


def tag_and_index(text: str) -> tuple[str, int]:
    """The input that an option names as `TAG`, `TAG:index` or `:index`.

    >>> tag_and_index("VIDEO:1"), tag_and_index(":2"), tag_and_index("VIDEO")
    (('VIDEO', 1), ('', 2), ('VIDEO', 0))
    """
    tag, _, index = text.partition(":")
    return tag, int(index) if index.isdigit() else 0


def _unknown_inputs(policy: PolicySpec, tags: Collection[tuple[str, int]]) -> Iterator[tuple[str, str]]:
    if not is_readable(policy.options):
        return
    named = [name for group in sync_sets(policy.options) for name in group] if policy.name == "sync_sets" else []
    if policy.name == "timestamp_align":
        named = [str(policy.options.get("timestamp_base_tag_index", ""))]
    exists = [f"{tag}:{index}" if index or not tag else tag for tag, index in tags]
    for name in named:
        if tag_and_index(name) not in tags:
            what = f"input policy {policy.name} names input '{name}', which the node does not have"
            yield what, did_you_mean(name, exists, "inputs")
    for name in sorted({name for name in named if named.count(name) > 1}):
        yield f"input policy {policy.name} names input '{name}' twice", "an input is in one sync_set only"
