"""StringToInt: a number from a side packet of text."""

from __future__ import annotations

import re
from typing import ClassVar

from graphflow import Calculator, Context, SideInput, SideOutput

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)[ \t\n\v\f\r]*", re.ASCII)


class StringToInt(Calculator):
    """Reads a side packet of text as a signed integer of 32 bits; blanks around it are allowed, nothing else.

    Source: MediaPipe StringToIntCalculator.
    """

    fusible = True

    aliases: ClassVar[tuple[str, ...]] = ("StringToInt32",)
    lowest: ClassVar[int] = -(2**31)
    highest: ClassVar[int] = 2**31 - 1

    text = SideInput("", str, "digits, perhaps with a sign")
    number = SideOutput("", int, "the number")

    def open(self, context: Context) -> None:
        text = context[self.text]
        found = _NUMBER.fullmatch(text)
        # no number of these has more digits, and reading very many takes long
        if found and len(found[2].lstrip("0")) <= 20 and not (found[1] == "-" and self.lowest == 0):
            number = int(found[1] + (found[2].lstrip("0") or "0"))
            if self.lowest <= number <= self.highest:
                context[self.number] = number
                return
        raise ValueError(f"{text[:60]!r} is not an integer from {self.lowest} to {self.highest}")


class StringToUint(StringToInt):
    """Reads a side packet of text as an unsigned integer of 32 bits; a minus is refused, before zero too.

    Source: MediaPipe StringToUintCalculator.
    """

    aliases = ("StringToUint32",)
    lowest = 0
    highest = 2**32 - 1


class StringToInt64(StringToInt):
    """Reads a side packet of text as a signed integer of 64 bits. Source: MediaPipe StringToInt64Calculator."""

    aliases = ()
    lowest = -(2**63)
    highest = 2**63 - 1


class StringToUint64(StringToInt):
    """Reads a side packet of text as an unsigned integer of 64 bits. Source: MediaPipe StringToUint64Calculator."""

    aliases = ()
    lowest = 0
    highest = 2**64 - 1
