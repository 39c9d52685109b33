"""DefaultSidePacket: a side packet, or another one where it was not given."""

from __future__ import annotations

from graphflow import Calculator, Context, SideInput, SideOutput


class DefaultSidePacket(Calculator):
    """Passes the optional value where it is given, the default otherwise.

    Source: MediaPipe DefaultSidePacketCalculator.
    """

    default_value = SideInput("DEFAULT_VALUE", doc="what VALUE is otherwise")
    optional_value = SideInput("OPTIONAL_VALUE", doc="what VALUE is if it is given", optional=True)
    value = SideOutput("VALUE", doc="one of the two", same_as=default_value)

    def open(self, context: Context) -> None:
        given = context[self.optional_value]
        context[self.value] = context[self.default_value] if given is None else given
