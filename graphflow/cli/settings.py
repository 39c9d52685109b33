"""`--set node.option=value` and `--param name=value`, read as YAML reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from graphflow.cli.reporting import UsageError


def parse_settings(texts: Iterable[str], option: str) -> dict[str, Any]:
    """The `key=value` texts of one command-line option as a mapping; the last one counts where a key comes twice.

    Args:
        texts: what was typed; a value is a YAML scalar, list or mapping: `0.5`, `true`, `[1, 2]`, `text`.
        option: how the option is called, for the message.

    Raises:
        UsageError: a text is not of that form.

    >>> parse_settings(["pose.threshold=0.5", "pose.smooth=false"], "--set")
    {'pose.threshold': 0.5, 'pose.smooth': False}
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            form = "NODE.OPTION=VALUE" if option == "--set" else "NAME=VALUE"
            raise UsageError(f"{option} takes {form}, not '{text}'")
        try:
            values[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = getattr(error, "problem", None) or "it cannot be read"
            raise UsageError(f"{option} {text}: the value is not valid YAML: {reason}") from None
    return values
