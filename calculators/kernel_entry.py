"""Machine code of a compiled kernel, with an entry that Python calls and that needs no numba when it is loaded.

Loading numba with what it needs to take one kernel from its cache is longer than loading all else that a graph needs.
So what numba compiled is given an entry of its own, a C function `(self, arguments, count)` that reads its arguments
from Python's and numpy's objects, and both are written as one object file; `machine_code` loads it. Needs numba.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.runtime.nrtdynmod import _meminfo_struct_type
from numba.np import numpy_support

from .machine_code import ARRAY_FIELDS, ITEMS_OF_TUPLE, SIZE_OF_TUPLE, VALUE_OF_SCALAR, Entry

# functions of the C library that compiled kernels call; whatever else one needs is there only once numba is loaded
_C_LIBRARY = frozenset(
    f"{name}{suffix}"
    for suffix in ("", "f")
    for name in (
        *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
        *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "sqrt", "cbrt", "hypot", "fmod", "ldexp"),
        *("floor", "ceil", "trunc", "rint", "nearbyint", "round", "copysign", "fabs", "memcpy", "memset", "memmove"),
    )
)
# operations that LLVM makes calls of, where the processor has no instruction
_OPERATIONS = frozenset(
    ("exp", "exp2", "log", "log2", "log10", "pow", "sin", "cos", "tan", "fma", "floor", "ceil", "rint", "trunc")
)

# Kernels over fewer elements keep the interpreter's lock: they are done before another thread could take it over.
_WORTH_UNLOCKING = 8192

_MOST_NEEDS = 64

_ALIGNED, _WRITEABLE = 0x100, 0x400
_LAYOUTS = {"C": 0x1, "F": 0x2, "A": 0}

_BYTE, _INT, _LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_POINTER = _BYTE.as_pointer()


class NotKeptError(Exception):
    """A kernel that has to be called through numba: what it takes, returns or needs is known to numba alone."""


def make_entry(name: str, compiled: Any, signature: tuple[Any, ...], unlocked: bool) -> Entry:
    """What `machine_code.load` needs to call a kernel for these types.

    Args:
        name: of the entry; no other has it.
        compiled: numba's function, compiled for the signature.
        signature: numba's types of the arguments.
        unlocked: whether it may run without the interpreter's lock.

    Raises:
        NotKeptError: it needs numba when it is called.
    """
    with global_compiler_lock:
        result = compiled.overloads[signature]
        codegen = result.library.codegen
        writer = _Writer(name, result, codegen.create_library(name).create_ir_module(name), unlocked)
        writer.write()
        module = llvm.parse_bitcode(result.library._get_module_for_linking().as_bitcode())
        writer.write_allocation()
        for function in module.functions:
            if function.name.startswith("__excinfo_unwrap_args"):
                writer.write_nothing(function.name)
        if len(writer.needs) > _MOST_NEEDS:
            raise NotKeptError(f"it needs {len(writer.needs)} things of Python's")
        module.link_in(llvm.parse_assembly(str(writer.module)))
        _drop_all_but(module, {name, f"{name}.needs"}, codegen._tm)
        return Entry(name, tuple(writer.needs), tuple(sorted(_externals(module))), codegen._tm.emit_object(module))


def _drop_all_but(module: Any, kept: set[str], machine: Any) -> None:
    """Drops what the entry does not use, numba's own entry above all."""
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name not in kept and not value.name.startswith("llvm."):
            value.linkage = "internal"
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    module.verify()


def _externals(module: Any) -> Iterator[str]:
    """What the module calls outside itself."""
    for variable in module.global_variables:
        if variable.is_declaration:
            raise NotKeptError(f"it reads {variable.name}")
    for function in module.functions:
        if not function.is_declaration:
            continue
        if function.name.startswith("llvm."):
            base, _, kind = function.name.removeprefix("llvm.").partition(".")
            if base in _OPERATIONS:
                yield base + ("f" if kind.endswith("f32") else "")
        elif function.name in _C_LIBRARY:
            yield function.name
        else:
            raise NotKeptError(f"it calls {function.name}")


class _Writer:
    """Writes the entry: arguments that fit the signature go to the kernel, all others to `self`, which is called."""

    def __init__(self, name: str, result: Any, module: Any, unlocked: bool) -> None:
        self.module = module
        self.needs: list[str] = []  # what the slots of the table hold, see `machine_code`
        self._context = result.target_context
        self._described = result.fndesc
        self._kernel = self._context.declare_function(module, result.fndesc)
        self._unlocked = unlocked
        self._table = ir.GlobalVariable(module, ir.ArrayType(_POINTER, _MOST_NEEDS), f"{name}.needs")
        self._table.initializer = ir.Constant(self._table.value_type, None)
        function = ir.Function(module, ir.FunctionType(_POINTER, [_POINTER, _POINTER.as_pointer(), _LONG]), name)
        self._other, self._arguments, self._count = function.args
        self._builder = ir.IRBuilder(function.append_basic_block("entry"))
        self._elsewhere = function.append_basic_block("elsewhere")
        self._sizes: list[Any] = []  # of the arrays among the arguments, in elements

    def write(self) -> None:
        """Writes it into `module`."""
        builder, wanted = self._builder, self._described.argtypes
        self._require(builder.icmp_unsigned("==", self._count, _LONG(len(wanted))))
        given = [builder.load(builder.gep(self._arguments, [_LONG(index)])) for index in range(len(wanted))]
        values = [self._unboxed(kind, value) for kind, value in zip(wanted, given, strict=True)]
        with self._without_lock():
            status, found = self._context.call_conv.call_function(
                builder, self._kernel, self._described.restype, wanted, values
            )
        # numba's own entry, called once more, raises what this error is
        self._require(builder.not_(status.is_error))
        builder.ret(self._boxed(self._described.restype, found))
        with builder.goto_block(self._elsewhere):
            builder.ret(
                self._call("PyObject_Vectorcall", _POINTER, self._other, self._arguments, self._count, _POINTER(None))
            )

    def write_nothing(self, name: str) -> None:
        """Stands in for what makes an exception of an error; numba's own entry makes it, see `write`."""
        function = ir.Function(self.module, ir.FunctionType(_POINTER, [_POINTER]), name)
        ir.IRBuilder(function.append_basic_block()).ret(_POINTER(None))

    def write_allocation(self) -> None:
        """Stands in for what numba allocates the arrays with that a kernel makes for itself, and frees them with."""
        layout = _meminfo_struct_type
        if [str(each) for each in layout.elements] != ["i64", "i8*", "i8*", "i8*", "i64"]:
            raise NotKeptError(f"its arrays begin with {layout}")
        allocate = ir.Function(self.module, ir.FunctionType(_POINTER, [_LONG, _INT]), "NRT_MemInfo_alloc_aligned")
        free = ir.Function(self.module, ir.FunctionType(ir.VoidType(), [_POINTER]), "NRT_MemInfo_call_dtor")
        (size, alignment), (freed,) = allocate.args, free.args
        before, self._builder = self._builder, ir.IRBuilder(free.append_basic_block())
        self._call("PyMem_RawFree", ir.VoidType(), freed)
        self._builder.ret_void()
        self._builder = builder = ir.IRBuilder(allocate.append_basic_block())
        last = builder.sub(builder.zext(alignment, _LONG), _LONG(1))
        head = _LONG(64)
        start = self._call("PyMem_RawMalloc", _POINTER, builder.add(builder.add(size, head), last))
        with builder.if_then(builder.icmp_unsigned("!=", start, _POINTER(None))):
            end = builder.add(builder.add(builder.ptrtoint(start, _LONG), head), last)
            data = builder.inttoptr(builder.and_(end, builder.not_(last)), _POINTER)
            fields = builder.bitcast(start, layout.as_pointer())
            for position, value in enumerate((_LONG(1), _POINTER(None), _POINTER(None), data, size)):
                builder.store(value, builder.gep(fields, [_INT(0), _INT(position)]))
        builder.ret(start)
        self._builder = before

    def _require(self, condition: Any) -> None:
        following = self._builder.append_basic_block()
        self._builder.cbranch(condition, following, self._elsewhere)
        self._builder.position_at_end(following)

    def _need(self, what: str) -> Any:
        """The pointer in the table's slot for this."""
        if what not in self.needs:
            self.needs.append(what)
        slot = self._builder.gep(self._table, [_INT(0), _INT(self.needs.index(what))])
        return self._builder.load(slot)

    def _call(self, function: str, result: Any, *arguments: Any) -> Any:
        pointer = ir.FunctionType(result, [argument.type for argument in arguments]).as_pointer()
        return self._builder.call(self._builder.bitcast(self._need(f"call {function}"), pointer), arguments)

    def _field(self, value: Any, offset: int, kind: Any) -> Any:
        at = self._builder.gep(value, [_LONG(offset)])
        return self._builder.load(self._builder.bitcast(at, kind.as_pointer()))

    def _type_of(self, value: Any) -> Any:
        return self._field(value, 8, _POINTER)

    def _is(self, value: Any, what: str) -> Any:
        return self._builder.icmp_unsigned("==", value, self._need(what))

    def _unboxed(self, kind: Any, value: Any) -> Any:
        """An argument as numba's functions take it."""
        if isinstance(kind, types.Array):
            return self._array(kind, value)
        if isinstance(kind, types.BaseTuple):
            return self._tuple(kind, value)
        if isinstance(kind, types.NoneType):
            self._require(self._is(value, "object builtins.None"))
            return self._context.get_dummy_value()
        if kind == types.intp:
            return self._integer(value)
        if isinstance(kind, types.Boolean):
            true = self._is(value, "object builtins.True")
            true = self._builder.or_(true, self._is(value, "object numpy.True_"))
            false = self._is(value, "object builtins.False")
            false = self._builder.or_(false, self._is(value, "object numpy.False_"))
            self._require(self._builder.or_(true, false))
            return true
        if isinstance(kind, types.Float):
            of_numpy = self._is(self._type_of(value), f"object numpy.{kind.name}")
            if kind == types.float64:
                of_numpy = self._builder.or_(of_numpy, self._is(self._type_of(value), "object builtins.float"))
            self._require(of_numpy)
            return self._field(value, VALUE_OF_SCALAR, self._context.get_value_type(kind))
        raise NotKeptError(f"it takes {kind}")

    def _integer(self, value: Any) -> Any:
        number, overflow = self._alloca(_LONG), self._alloca(_INT)
        with self._builder.if_else(self._is(self._type_of(value), "object builtins.int")) as (of_python, of_numpy):
            with of_python:
                self._builder.store(self._call("PyLong_AsLongLongAndOverflow", _LONG, value, overflow), number)
                self._require(self._builder.icmp_unsigned("==", self._builder.load(overflow), _INT(0)))
            with of_numpy:
                self._require(self._is(self._type_of(value), "object numpy.int64"))
                self._builder.store(self._field(value, VALUE_OF_SCALAR, _LONG), number)
        return self._builder.load(number)

    def _alloca(self, kind: Any) -> Any:
        with self._builder.goto_entry_block():
            return self._builder.alloca(kind)

    def _tuple(self, kind: Any, value: Any) -> Any:
        cls = getattr(kind, "instance_class", tuple)
        self._require(self._is(self._type_of(value), f"object {cls.__module__}.{cls.__qualname__}"))
        length = self._field(value, SIZE_OF_TUPLE, _LONG)
        self._require(self._builder.icmp_unsigned("==", length, _LONG(len(kind))))
        items = [
            self._unboxed(each, self._field(value, ITEMS_OF_TUPLE + 8 * position, _POINTER))
            for position, each in enumerate(kind)
        ]
        return self._context.make_tuple(self._builder, kind, items)

    def _array(self, kind: Any, value: Any) -> Any:
        builder, at = self._builder, ARRAY_FIELDS
        dtype = numpy_support.as_dtype(kind.dtype)
        if not dtype.isbuiltin == 1 or not kind.aligned:
            raise NotKeptError(f"it takes {kind}")
        self._require(self._is(self._type_of(value), "object numpy.ndarray"))
        self._require(self._is(self._field(value, at.dtype, _POINTER), f"dtype {dtype.str}"))
        self._require(builder.icmp_unsigned("==", self._field(value, at.dimensions, _INT), _INT(kind.ndim)))
        wanted = _ALIGNED | (_WRITEABLE if kind.mutable else 0) | _LAYOUTS[kind.layout]
        flags = builder.and_(self._field(value, at.flags, _INT), _INT(wanted))
        self._require(builder.icmp_unsigned("==", flags, _INT(wanted)))
        shape, strides = (
            [self._field(self._field(value, where, _POINTER), 8 * axis, _LONG) for axis in range(kind.ndim)]
            for where in (at.shape, at.strides)
        )
        size = _LONG(1)
        for length in shape:
            size = builder.mul(size, length)
        self._sizes.append(size)
        array = self._context.make_array(kind)(self._context, builder)
        array.meminfo, array.parent = (ir.Constant(part.type, None) for part in (array.meminfo, array.parent))
        array.nitems, array.itemsize = size, _LONG(dtype.itemsize)
        array.data = builder.bitcast(self._field(value, at.data, _POINTER), array.data.type)
        array.shape = _packed(builder, shape, array.shape.type)
        array.strides = _packed(builder, strides, array.strides.type)
        return array._getvalue()

    @contextmanager
    def _without_lock(self) -> Iterator[None]:
        if not self._unlocked or not self._sizes:
            yield
            return
        builder = self._builder
        total = self._sizes[0]
        for size in self._sizes[1:]:
            total = builder.add(total, size)
        state = self._alloca(_POINTER)
        builder.store(_POINTER(None), state)
        with builder.if_then(builder.icmp_signed(">=", total, _LONG(_WORTH_UNLOCKING))):
            builder.store(self._call("PyEval_SaveThread", _POINTER), state)
        yield
        saved = builder.load(state)
        with builder.if_then(builder.icmp_unsigned("!=", saved, _POINTER(None))):
            self._call("PyEval_RestoreThread", ir.VoidType(), saved)

    def _boxed(self, kind: Any, value: Any) -> Any:
        """What a kernel returned as a Python object, as numba does it."""
        builder, is_integer = self._builder, isinstance(kind, types.Integer)
        if isinstance(kind, types.NoneType):
            none = self._need("object builtins.None")
            self._call("Py_IncRef", ir.VoidType(), none)
            return none
        if isinstance(kind, types.Boolean):
            return self._call("PyBool_FromLong", _POINTER, builder.zext(value, _LONG))
        if isinstance(kind, types.Float) and kind.bitwidth in (32, 64):
            wide = builder.fpext(value, ir.DoubleType()) if kind.bitwidth == 32 else value
            return self._call("PyFloat_FromDouble", _POINTER, wide)
        if is_integer:
            grown = builder.sext if kind.signed else builder.zext
            wide = grown(value, _LONG) if kind.bitwidth < 64 else value
            return self._call("PyLong_FromLongLong" if kind.signed else "PyLong_FromUnsignedLongLong", _POINTER, wide)
        if isinstance(kind, types.UniTuple | types.Tuple):
            made = self._call("PyTuple_New", _POINTER, _LONG(len(kind)))
            for position, each in enumerate(kind):
                item = self._boxed(each, builder.extract_value(value, position))
                at = builder.gep(made, [_LONG(ITEMS_OF_TUPLE + 8 * position)])
                builder.store(item, builder.bitcast(at, _POINTER.as_pointer()))
            return made
        raise NotKeptError(f"it returns {kind}")


def _packed(builder: Any, values: Sequence[Any], kind: Any) -> Any:
    found = ir.Constant(kind, ir.Undefined)
    for position, value in enumerate(values):
        found = builder.insert_value(found, value, position)
    return found
