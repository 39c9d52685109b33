"""Small calculators for tests of graphs; a graph beside this file names them `./calculators.py:Name`."""

from collections.abc import Iterable
from typing import Literal

from graphflow import Calculator, Context, Input, Option, OptionGroup, Output, SideInput, SideOutput, Stop
from graphflow.context import Binding


class Double(Calculator):
    """Multiplies numbers."""

    value = Input("VALUE", float, "what to multiply")
    result = Output("RESULT", float)
    factor: float = Option(2.0, "what to multiply by")
    mode: Literal["FAST", "EXACT"] = Option("EXACT", "how")

    def process(self, context: Context) -> None:
        context[self.result] = context[self.value] * self.factor


class Shout(Calculator):
    """Makes text loud; the text and nothing else is untagged."""

    text = Input(type=str)
    loud = Output(type=str)
    calm = Output("CALM", str, optional=True)

    def process(self, context: Context) -> None:
        context[self.loud] = context[self.text].upper()


class Spell(Calculator):
    """Turns numbers into text."""

    value = Input("VALUE", float)
    text = Output("TEXT", str)
    language: str = Option(doc="which language to spell in")

    def process(self, context: Context) -> None:
        context[self.text] = f"{context[self.value]} ({self.language})"


class Range(OptionGroup):
    """Where to cut."""

    begin: int = 0
    end: int


class Cut(Calculator):
    """Cuts a list into several, one output for each range."""

    whole = Input(type=list)
    parts = Output(type=list, repeated=True)
    ranges: list[Range] = Option([], "one for each output")

    def check(self, binding: Binding) -> Iterable[str]:
        if len(self.ranges) != len(binding.outputs):
            yield f"{len(self.ranges)} ranges for {len(binding.outputs)} outputs"

    def process(self, context: Context) -> None:
        for i, part in enumerate(self.ranges):
            context.emit(self.parts, context[self.whole][part.begin : part.end], index=i)


class Join(Calculator):
    """Adds what comes in on any number of inputs; `BIAS` may be left out."""

    values = Input("VALUE", float, repeated=True)
    bias = Input("BIAS", float, optional=True)
    total = Output("TOTAL", float)

    def process(self, context: Context) -> None:
        context[self.total] = sum(context[self.values]) + (context[self.bias] or 0.0)


class Same(Calculator):
    """Passes everything through, whatever it is."""

    anything = Input("*")
    again = Output("*", same_as=anything)

    def process(self, context: Context) -> None:
        for i in range(context.count(self.anything)):
            context.emit_packet(self.again, context.packet(self.anything, i), i)


class Branch(Calculator):
    """Sends everything every way."""

    whole = Input()
    branches = Output(same_as=whole, repeated=True)

    def process(self, context: Context) -> None:
        for i in range(context.count(self.branches)):
            context.emit_packet(self.branches, context.packet(self.whole), i)


class Previous(Calculator):
    """What came back from the last round."""

    main = Input("MAIN")
    loop = Input("LOOP")
    previous = Output("PREVIOUS", same_as=loop)

    def process(self, context: Context) -> None:
        context[self.previous] = context[self.loop]


class Count(Calculator):
    """A source of numbers."""

    number = Output("NUMBER", float)

    def process(self, context: Context) -> None:
        raise Stop


class Settle(Calculator):
    """Makes one side packet of another."""

    given = SideInput("GIVEN", int, optional=True)
    made = SideOutput("MADE", int)

    def open(self, context: Context) -> None:
        context[self.made] = (context[self.given] or 0) + 1

    def process(self, context: Context) -> None:
        raise Stop


class Offset(Calculator):
    """Adds a side packet to numbers."""

    value = Input("VALUE", float)
    offset = SideInput("OFFSET", int)
    result = Output("RESULT", float)
    input_policy = "immediate"

    def process(self, context: Context) -> None:
        context[self.result] = context[self.value] + context[self.offset]


class Title(Calculator):
    """A side packet of text."""

    title = SideOutput(type=str)

    def open(self, context: Context) -> None:
        context[self.title] = "title"

    def process(self, context: Context) -> None:
        raise Stop
