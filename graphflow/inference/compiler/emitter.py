"""Writes kernels in LLVM's assembly language: loops, and vectors of float32 channels.

The text is written as such, since building llvmlite's objects first takes several times as long.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence

from .network import Activation

Value = str | int
"""A name or literal of the text, or a number known when the text is written."""


class Code:
    """The text of a module of LLVM: its functions, and the declarations of what they call."""

    def __init__(self) -> None:
        self._functions: list[str] = []
        self._declarations: set[str] = set()

    def define(self, head: str, lines: Iterable[str]) -> None:
        """Add a function."""
        self._functions.append("\n".join((f"define {head} {{", *lines, "}")))

    def declare(self, head: str) -> None:
        """Add the declaration of a function of LLVM's own."""
        self._declarations.add(f"declare {head}")

    def text(self) -> str:
        """The whole module."""
        return "\n".join((*sorted(self._declarations), *self._functions, ""))


class Emitter:
    """A function being written: it takes pointers to float32, how many rows to make, and the first row.

    The first row counts where the input is a ring of rows (see `row_in_ring`); otherwise pointers are at the row meant.
    Offsets and indices count float32 values.
    """

    def __init__(self, code: Code, name: str, pointers: int, width: int) -> None:
        self.width = width
        self.arguments = (*(f"%pointer{position}" for position in range(pointers)), "%rows", "%first")
        self._code, self._name = code, name
        self._vector = f"<{width} x float>"
        self._lines = ["entry:"]
        self._block = "entry"
        self._named = 0

    def finish(self) -> None:
        """End the function."""
        *pointers, rows, first = self.arguments
        listed = ", ".join([*(f"ptr noalias {pointer}" for pointer in pointers), f"i64 {rows}", f"i64 {first}"])
        self._code.define(f"internal void @{self._name}({listed}) noinline", (*self._lines, "ret void"))

    def add(self, left: Value, right: Value) -> Value:
        """The sum of two indices."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if left == 0 or right == 0:
            return left if right == 0 else right
        return self._value(f"add nsw i64 {left}, {right}")

    def multiply(self, left: Value, right: Value) -> Value:
        """The product of two indices."""
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        if left == 0 or right == 0:
            return 0
        return self._value(f"mul nsw i64 {left}, {right}")

    def row_in_ring(self, row: Value, rows: int) -> Value:
        """Where in a ring of `rows` rows, a power of two, a row is."""
        return self._value(f"and i64 {row}, {rows - 1}")

    def clamped(self, value: Value, low: int, high: int) -> Value:
        """An index kept within bounds."""
        for comparison, bound in (("slt", low), ("sgt", high)):
            outside = self._value(f"icmp {comparison} i64 {value}, {bound}")
            value = self._value(f"select i1 {outside}, i64 {bound}, i64 {value}")
        return value

    def at(self, pointer: Value, offset: Value) -> Value:
        """The pointer `offset` values on."""
        return pointer if offset == 0 else self._value(f"getelementptr inbounds float, ptr {pointer}, i64 {offset}")

    def load(self, pointer: Value, offset: Value = 0) -> Value:
        """The vector at an address of any alignment."""
        return self._value(f"load {self._vector}, ptr {self.at(pointer, offset)}, align 4")

    def store(self, value: Value, pointer: Value, offset: Value = 0) -> None:
        """Write a vector to an address of any alignment."""
        self._lines.append(f"store {self._vector} {value}, ptr {self.at(pointer, offset)}, align 4")

    def copy_value(self, source: Value, target: Value, offset: Value) -> None:
        """Copy a single value."""
        value = self._value(f"load float, ptr {self.at(source, offset)}, align 4")
        self._lines.append(f"store float {value}, ptr {self.at(target, offset)}, align 4")

    def store_zero(self, pointer: Value, offset: Value) -> None:
        """Write a single zero."""
        self._lines.append(f"store float 0.0, ptr {self.at(pointer, offset)}, align 4")

    def spread(self, pointer: Value, offset: Value) -> Value:
        """A vector full of the one value at an address."""
        value = self._value(f"load float, ptr {self.at(pointer, offset)}, align 4")
        first = self._value(f"insertelement {self._vector} poison, float {value}, i32 0")
        return self._shuffled(first, "poison", "zeroinitializer")

    def first_of(self, value: Value, count: int) -> Value:
        """A vector's first `count` values, and zeros."""
        if count >= self.width:
            return value
        lanes = ", ".join(f"i32 {lane if lane < count else self.width}" for lane in range(self.width))
        return self._shuffled(value, "zeroinitializer", f"<{lanes}>")

    def constant(self, value: float) -> Value:
        """A vector full of one number."""
        literal = f"float 0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"
        return f"<{', '.join([literal] * self.width)}>"

    def multiply_add(self, left: Value, right: Value, total: Value) -> Value:
        """`left * right + total`, rounded once."""
        vector, name = self._vector, f"@llvm.fma.v{self.width}f32"
        self._code.declare(f"{vector} {name}({vector}, {vector}, {vector})")
        return self._value(f"call {vector} {name}({vector} {left}, {vector} {right}, {vector} {total})")

    def sum(self, left: Value, right: Value) -> Value:
        """The sum of two vectors."""
        return self._value(f"fadd {self._vector} {left}, {right}")

    def difference(self, left: Value, right: Value) -> Value:
        """The difference of two vectors."""
        return self._value(f"fsub {self._vector} {left}, {right}")

    def product(self, left: Value, right: Value) -> Value:
        """The product of two vectors, rounded."""
        return self._value(f"fmul {self._vector} {left}, {right}")

    def greater(self, left: Value, right: Value) -> Value:
        """The greater values of two vectors."""
        return self._chosen("ogt", left, right, left, right)

    def activated(self, value: Value, activation: Activation, slope: Value | None = None) -> Value:
        """The activation's value; `slope` is what a `prelu` multiplies by."""
        match activation.kind:
            case "none":
                return value
            case "prelu":
                assert slope is not None, "a PReLU has slopes"
                return self._chosen("olt", value, self.constant(0), self.product(value, slope), value)
        value = self.greater(value, self.constant(0))
        if activation.kind == "clip":
            high = self.constant(activation.high)
            value = self._chosen("olt", value, high, value, high)
        return value

    def loop(
        self,
        count: Value,
        step: int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
    ) -> Sequence[Value]:
        """Run `body(index, *carried)` for 0, step, … below `count` (at least once); it returns the next `carried`.

        The values carried from turn to turn are vectors.
        """
        before, number = self._block, self._number()
        head, after = f"loop{number}", f"after{number}"
        index = f"%index{number}"
        running = [f"%carried{number}.{position}" for position in range(len(carried))]
        self._lines += [f"br label %{head}", f"{head}:"]
        # what comes round is known only at the end
        start = len(self._lines)
        self._lines += [""] * (1 + len(carried))
        self._block = head
        results = list(body(index, *running) or ())
        following = self.add(index, step)
        last = self._block
        self._lines[start] = f"{index} = phi i64 [0, %{before}], [{following}, %{last}]"
        for position, (name, first, value) in enumerate(zip(running, carried, results, strict=True), start + 1):
            self._lines[position] = f"{name} = phi {self._vector} [{first}, %{before}], [{value}, %{last}]"
        more = self._value(f"icmp slt i64 {following}, {count}")
        self._lines += [f"br i1 {more}, label %{head}, label %{after}", f"{after}:"]
        self._block = after
        return results

    def _chosen(self, comparison: str, left: Value, right: Value, if_true: Value, if_false: Value) -> Value:
        vector = self._vector
        held = self._value(f"fcmp {comparison} {vector} {left}, {right}")
        return self._value(f"select <{self.width} x i1> {held}, {vector} {if_true}, {vector} {if_false}")

    def _shuffled(self, first: Value, second: Value, lanes: str) -> Value:
        vector, places = self._vector, f"<{self.width} x i32>"
        return self._value(f"shufflevector {vector} {first}, {vector} {second}, {places} {lanes}")

    def _value(self, text: str) -> str:
        name = f"%v{self._number()}"
        self._lines.append(f"{name} = {text}")
        return name

    def _number(self) -> int:
        self._named += 1
        return self._named
