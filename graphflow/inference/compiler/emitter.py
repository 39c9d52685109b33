"""Writes one kernel in LLVM's intermediate representation: loops, and vectors of float32 channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .network import Activation

if TYPE_CHECKING:
    from llvmlite import ir

# What of llvmlite's has no types.
Value = Any


class Emitter:
    """A function being written, whose arguments are pointers to float32, how many rows to make, and the first row.

    The first row counts where the input is a ring of rows (see `row_in_ring`); otherwise pointers are at the row meant.

    Offsets count float32 values; they are Python integers or values of the function.
    """

    def __init__(self, module: ir.Module, name: str, pointers: int, width: int) -> None:
        from llvmlite import ir

        self._ir = ir
        self.width = width
        self._float, self.index = ir.FloatType(), ir.IntType(64)
        self._vector = ir.VectorType(self._float, width)
        self._module = module
        kind = ir.FunctionType(ir.VoidType(), [self._float.as_pointer()] * pointers + [self.index] * 2)
        self.function = ir.Function(module, kind, name)
        self.function.linkage = "internal"
        self.function.attributes.add("noinline")
        for argument in self.function.args[:pointers]:
            argument.add_attribute("noalias")
        self.builder = ir.IRBuilder(self.function.append_basic_block("entry"))

    @property
    def arguments(self) -> Sequence[Value]:
        return tuple(self.function.args)

    def finish(self) -> None:
        """End the function."""
        self.builder.ret_void()

    def integer(self, value: int) -> Value:
        return self.index(value)

    def add(self, left: Value, right: Value) -> Value:
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        return self.builder.add(self._as_index(left), self._as_index(right), flags=("nsw",))

    def multiply(self, left: Value, right: Value) -> Value:
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        return self.builder.mul(self._as_index(left), self._as_index(right), flags=("nsw",))

    def row_in_ring(self, row: Value, rows: int) -> Value:
        """Where in a ring of `rows` rows, a power of two, a row is."""
        return self.builder.and_(row, self.index(rows - 1))

    def clamped(self, value: Value, low: int, high: int) -> Value:
        """An index kept within bounds."""
        builder, first, last = self.builder, self.index(low), self.index(high)
        value = builder.select(builder.icmp_signed("<", value, first), first, value)
        return builder.select(builder.icmp_signed(">", value, last), last, value)

    def at(self, pointer: Value, offset: Value) -> Value:
        """The pointer `offset` values on."""
        return self.builder.gep(pointer, [self._as_index(offset)], inbounds=True)

    def load(self, pointer: Value, offset: Value = 0) -> Value:
        """The vector at an address of any alignment."""
        address = self.builder.bitcast(self.at(pointer, offset), self._vector.as_pointer())
        return self.builder.load(address, align=4)

    def store(self, value: Value, pointer: Value, offset: Value = 0) -> None:
        address = self.builder.bitcast(self.at(pointer, offset), self._vector.as_pointer())
        self.builder.store(value, address, align=4)

    def copy_value(self, source: Value, target: Value, offset: Value) -> None:
        """Copy a single value."""
        self.builder.store(self.builder.load(self.at(source, offset)), self.at(target, offset))

    def store_zero(self, pointer: Value, offset: Value) -> None:
        """Write a single zero."""
        self.builder.store(self._ir.Constant(self._float, 0.0), self.at(pointer, offset))

    def spread(self, pointer: Value, offset: Value) -> Value:
        """A vector full of the one value at an address."""
        ir = self._ir
        value = self.builder.load(self.at(pointer, offset))
        empty = ir.Constant(self._vector, ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.IntType(32)(0))
        return self.builder.shuffle_vector(
            first, empty, ir.Constant(ir.VectorType(ir.IntType(32), self.width), [0] * self.width)
        )

    def first_of(self, value: Value, count: int) -> Value:
        """A vector's first `count` values, and zeros."""
        if count >= self.width:
            return value
        ir = self._ir
        places = [lane if lane < count else self.width for lane in range(self.width)]
        kind = ir.VectorType(ir.IntType(32), self.width)
        return self.builder.shuffle_vector(value, self.constant(0), ir.Constant(kind, places))

    def constant(self, value: float) -> Value:
        return self._ir.Constant(self._vector, [float(value)] * self.width)

    def multiply_add(self, left: Value, right: Value, total: Value) -> Value:
        """`left * right + total`, rounded once."""
        return self.builder.call(self._intrinsic("fma", 3), [left, right, total])

    def sum(self, left: Value, right: Value) -> Value:
        return self.builder.fadd(left, right)

    def difference(self, left: Value, right: Value) -> Value:
        return self.builder.fsub(left, right)

    def product(self, left: Value, right: Value) -> Value:
        return self.builder.fmul(left, right)

    def greater(self, left: Value, right: Value) -> Value:
        return self.builder.select(self.builder.fcmp_ordered(">", left, right), left, right)

    def activated(self, value: Value, activation: Activation, slope: Value | None = None) -> Value:
        """The activation's value; `slope` is what a `prelu` multiplies by."""
        builder = self.builder
        match activation.kind:
            case "none":
                return value
            case "prelu":
                negative = builder.fcmp_ordered("<", value, self.constant(0))
                return builder.select(negative, builder.fmul(value, slope), value)
        value = self.greater(value, self.constant(0))
        if activation.kind == "clip":
            high = self.constant(activation.high)
            value = builder.select(builder.fcmp_ordered("<", value, high), value, high)
        return value

    def loop(
        self,
        count: Value,
        step: int,
        body: Callable[..., Sequence[Value] | None],
        carried: Sequence[Value] = (),
    ) -> list[Value]:
        """Run `body(index, *carried)` for 0, step, … below `count` (at least once); it returns the next `carried`."""
        builder, before = self.builder, self.builder.block
        head, after = self.function.append_basic_block(), self.function.append_basic_block()
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(self.index)
        index.add_incoming(self.index(0), before)
        running = []
        for value in carried:
            node = builder.phi(value.type)
            node.add_incoming(value, before)
            running.append(node)
        results = list(body(index, *running) or ())
        following = builder.add(index, self.index(step), flags=("nsw",))
        index.add_incoming(following, builder.block)
        for node, value in zip(running, results, strict=True):
            node.add_incoming(value, builder.block)
        builder.cbranch(builder.icmp_signed("<", following, self._as_index(count)), head, after)
        builder.position_at_end(after)
        return results

    def _as_index(self, value: Value) -> Value:
        return self.index(value) if isinstance(value, int) else value

    def _intrinsic(self, name: str, arguments: int) -> Value:
        full = f"llvm.{name}.v{self.width}f32"
        known = self._module.globals.get(full)
        if known is not None:
            return known
        kind = self._ir.FunctionType(self._vector, [self._vector] * arguments)
        return self._ir.Function(self._module, kind, full)
