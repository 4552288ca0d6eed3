"""Short vectors inside compiled kernels: one number for each of several neighbouring pixels.

Numba has no such type, so three are made here: lanes of 32-bit floats, of whole numbers and of truth values. Operators work
lane by lane; a plain number beside lanes counts in every lane. LLVM turns each operator into one instruction where the
processor has registers that wide. Nothing is fused or reordered: a lane holds bit for bit what the same plain code would
compute.

`neighbours_at` loads from another place of an array in each lane (`llvm.masked.gather`). Nothing here checks bounds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.arrayobj import make_array

Emit = Callable[[Any, list[Any]], Any]
"""Writes instructions: (llvmlite's IRBuilder, operands) -> result."""

_FEATURES: str = numba.config.CPU_FEATURES or llvmlite.binding.get_host_cpu_features().flatten()
"""Of the processor that Numba compiles for, by LLVM's names: "+avx2,-avx512f,..."."""
AVAILABLE = "+avx2" in _FEATURES
"""Whether it has registers for this. Without them the plain kernels are as fast."""
WIDTH = 16 if "+avx512f" in _FEATURES else 8
"""Lanes: as many 32-bit numbers as a register of this processor holds."""

instructions: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic
"""Makes a function of kernels from one that is told the types of the operands, and answers with the signature and with
what writes the instructions."""

ACROSS = 4
"""Lanes are the pixels of a block, row after row, that is so many pixels wide: neighbours in the picture are neighbours in
the volume, and the nearer they are the more they share."""

_I32, _I64 = ir.IntType(32), ir.IntType(64)


class Lanes(types.Type):  # type: ignore[misc]
    """Numba's name for a vector of `element`s."""

    def __init__(self, name: str, element: Any) -> None:
        self.vector = ir.VectorType(element, WIDTH)
        super().__init__(f"{name}x{WIDTH}")


FLOATS, INTS, TRUTHS = Lanes("Float", ir.FloatType()), Lanes("Int", _I32), Lanes("Truth", ir.IntType(1))


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Lanes) -> None:
        super().__init__(manager, kind, kind.vector)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """A plain number in every lane; lanes as they are."""
    if isinstance(kind, Lanes):
        return value
    vector = ir.VectorType(value.type, WIDTH)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), ir.Constant(INTS.vector, [0] * WIDTH))


def _constant(vector: Any, number: float) -> Any:
    return ir.Constant(vector, [number] * WIDTH)


# --- operators


def _define(name: Callable[..., Any], result: Any, operands: list[Any], emit: Emit) -> None:
    """Teach Numba the operator `name`. Operands that are no lanes are spread over them first."""
    infer_global(name)(type("_Typing", (ConcreteTemplate,), {"cases": [signature(result, *operands)]}))

    def lower(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return emit(builder, [_spread(builder, value, kind) for value, kind in zip(values, call.args, strict=True)])

    lower_builtin(name, *operands)(lower)


def _define_beside_numbers(name: Callable[..., Any], result: Any, lanes: Lanes, number: Any, emit: Emit) -> None:
    for operands in ([lanes, lanes], [lanes, number], [number, lanes]):
        _define(name, result, operands, emit)


_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq}


_BITWISE: dict[Callable[..., Any], Emit] = {
    operator.and_: lambda b, v: b.and_(*v),
    operator.rshift: lambda b, v: b.ashr(*v),
}


def _comparison(instruction: str, sign: str) -> Emit:
    return lambda builder, operands: getattr(builder, instruction)(sign, *operands)


def _teach_operators() -> None:
    _define_beside_numbers(operator.add, FLOATS, FLOATS, types.float32, lambda b, v: b.fadd(*v))
    _define_beside_numbers(operator.sub, FLOATS, FLOATS, types.float32, lambda b, v: b.fsub(*v))
    _define_beside_numbers(operator.mul, FLOATS, FLOATS, types.float32, lambda b, v: b.fmul(*v))
    _define_beside_numbers(operator.truediv, FLOATS, FLOATS, types.float32, lambda b, v: b.fdiv(*v))
    _define_beside_numbers(operator.add, INTS, INTS, types.int32, lambda b, v: b.add(*v))
    _define_beside_numbers(operator.sub, INTS, INTS, types.int32, lambda b, v: b.sub(*v))
    _define_beside_numbers(operator.mul, INTS, INTS, types.int32, lambda b, v: b.mul(*v))
    for sign, name in _COMPARISONS.items():
        _define_beside_numbers(name, TRUTHS, FLOATS, types.float32, _comparison("fcmp_ordered", sign))
        _define_beside_numbers(name, TRUTHS, INTS, types.int32, _comparison("icmp_signed", sign))
    for name, emit in _BITWISE.items():
        _define(name, INTS, [INTS, INTS], emit)
    _define(operator.and_, TRUTHS, [TRUTHS, TRUTHS], lambda b, v: b.and_(*v))
    _define(operator.or_, TRUTHS, [TRUTHS, TRUTHS], lambda b, v: b.or_(*v))
    _define(operator.invert, TRUTHS, [TRUTHS], lambda b, v: b.not_(*v))


_teach_operators()


# --- functions


@instructions
def select(context: Any, where: Any, yes: Any, no: Any) -> Any:
    """`yes` in the lanes where `where` is true, `no` in the others; either may be a plain number."""
    result = yes if isinstance(yes, Lanes) else no

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.select(*(_spread(builder, value, kind) for value, kind in zip(values, call.args, strict=True)))

    return result(where, yes, no), emit


@instructions
def every(context: Any, number: Any) -> Any:
    """A float32 in every lane."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return _spread(builder, values[0], types.float32)

    return FLOATS(types.float32), emit


@instructions
def lane_numbers(context: Any) -> Any:
    """0, 1, 2, ..."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return ir.Constant(INTS.vector, list(range(WIDTH)))

    return INTS(), emit


@instructions
def every_int(context: Any, number: Any) -> Any:
    """A whole number in every lane."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return _spread(builder, builder.trunc(values[0], _I32), types.int32)

    return INTS(types.int64), emit


@instructions
def whole(context: Any, numbers: Any) -> Any:
    """Without the fraction."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.fptosi(values[0], INTS.vector)

    return INTS(FLOATS), emit


@instructions
def floating(context: Any, numbers: Any) -> Any:
    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.sitofp(values[0], FLOATS.vector)

    return FLOATS(INTS), emit


@instructions
def root(context: Any, numbers: Any) -> Any:
    """Square roots."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        name = f"llvm.sqrt.v{WIDTH}f32"
        kind = ir.FunctionType(FLOATS.vector, [FLOATS.vector])
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.call(function, [values[0]])

    return FLOATS(FLOATS), emit


@instructions
def any_of(context: Any, truths: Any) -> Any:
    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        bits = builder.bitcast(values[0], ir.IntType(WIDTH))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(WIDTH), 0))

    return types.boolean(TRUTHS), emit


@instructions
def bits_of(context: Any, truths: Any) -> Any:
    """A whole number with a bit for each lane, the first lane's the lowest."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.zext(builder.bitcast(values[0], ir.IntType(WIDTH)), _I64)

    return types.int64(TRUTHS), emit


@instructions
def lowest_bit(context: Any, bits: Any) -> Any:
    """The place of the lowest bit that is set; some is."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), emit


@instructions
def lane(context: Any, numbers: Any, index: Any) -> Any:
    """The number of one lane."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        return builder.extract_element(values[0], builder.trunc(values[1], _I32))

    return types.float32(FLOATS, types.int64), emit


@instructions
def put(context: Any, picture: Any, row: Any, column: Any, numbers: Any) -> Any:
    """Store a block of lanes, `ACROSS` wide, in the two-dimensional float32 array `picture` from (row, column) on."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        array = make_array(call.args[0])(context, builder, values[0])
        width = builder.extract_value(array.shape, 1)
        line = builder.gep(array.data, [builder.add(builder.mul(values[1], width), values[2])])
        for first in range(0, WIDTH, ACROSS):
            some = ir.Constant(ir.VectorType(_I32, ACROSS), list(range(first, first + ACROSS)))
            part = builder.shuffle_vector(values[3], ir.Constant(FLOATS.vector, ir.Undefined), some)
            builder.store(part, builder.bitcast(line, ir.PointerType(part.type))).align = 4
            line = builder.gep(line, [width])
        return context.get_dummy_value()

    return types.none(picture, types.int64, types.int64, FLOATS), emit


@instructions
def load(context: Any, lines: Any, row: Any, column: Any) -> Any:
    """Numbers that lie side by side in the two-dimensional float32 array `lines` from (row, column) on."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        array = make_array(call.args[0])(context, builder, values[0])
        width = builder.extract_value(array.shape, 1)
        place = builder.gep(array.data, [builder.add(builder.mul(values[1], width), values[2])])
        found = builder.load(builder.bitcast(place, ir.PointerType(FLOATS.vector)))
        found.align = 4
        return found

    return FLOATS(lines, types.int64, types.int64), emit


@instructions
def put_line(context: Any, picture: Any, row: Any, column: Any, numbers: Any) -> Any:
    """Store lanes side by side in a row of the two-dimensional float32 array `picture` from (row, column) on."""

    def emit(context: Any, builder: Any, call: Any, values: Any) -> Any:
        array = make_array(call.args[0])(context, builder, values[0])
        width = builder.extract_value(array.shape, 1)
        line = builder.gep(array.data, [builder.add(builder.mul(values[1], width), values[2])])
        builder.store(values[3], builder.bitcast(line, ir.PointerType(FLOATS.vector))).align = 4
        return context.get_dummy_value()

    return types.none(picture, types.int64, types.int64, FLOATS), emit


# --- loads from places of their own


def _gathered(builder: Any, data: Any, unit: Any, offset: Any, places: Any, loaded: Any, align: int) -> Any:
    """`loaded` elements that begin `places` units past `data` + `offset`."""
    base = builder.gep(builder.bitcast(data, ir.PointerType(unit)), [offset])
    wide = builder.sext(places, ir.VectorType(_I64, WIDTH))
    pointers = builder.gep(base, [wide], source_etype=unit)
    pointers.type = ir.VectorType(ir.PointerType(), WIDTH)
    result = ir.VectorType(loaded, WIDTH)
    kind = ir.FunctionType(result, [pointers.type, _I32, TRUTHS.vector, result])
    name = f"llvm.masked.gather.v{WIDTH}{loaded.intrinsic_name}.v{WIDTH}p0"
    function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
    everywhere = _constant(TRUTHS.vector, 1)
    return builder.call(function, [pointers, ir.Constant(_I32, align), everywhere, _constant(result, 0)])


@instructions
def neighbours_at(context: Any, values: Any, offset: Any, places: Any) -> Any:
    """Two neighbours of an int16 or float32 array, as floats: the numbers at `offset` + `places` and the ones after them,
    counted as in a flat array (`values` may have any shape, in C order)."""
    result = types.UniTuple(FLOATS, 2)

    def emit(context: Any, builder: Any, call: Any, arguments: Any) -> Any:
        data = make_array(call.args[0])(context, builder, arguments[0]).data
        if values.dtype == types.int16:
            # Both in one load: the first in the lower half of 32 bits.
            pairs = _gathered(builder, data, ir.IntType(16), arguments[1], arguments[2], _I32, 2)
            half = _constant(INTS.vector, 16)
            both = [builder.ashr(builder.shl(pairs, half), half), builder.ashr(pairs, half)]
            return context.make_tuple(builder, result, [builder.sitofp(one, FLOATS.vector) for one in both])
        element = ir.FloatType()
        next_one = builder.add(arguments[1], ir.Constant(_I64, 1))
        both = [_gathered(builder, data, element, at, arguments[2], element, 4) for at in (arguments[1], next_one)]
        return context.make_tuple(builder, result, both)

    return result(values, types.int64, INTS), emit


def _prefetching(step: int) -> Callable[..., Any]:
    def prefetch(context: Any, values: Any, offset: Any, places: Any) -> Any:
        def emit(context: Any, builder: Any, call: Any, arguments: Any) -> Any:
            base = builder.gep(make_array(call.args[0])(context, builder, arguments[0]).data, [arguments[1]])
            kind = ir.FunctionType(ir.VoidType(), [ir.PointerType(), _I32, _I32, _I32])
            name = "llvm.prefetch.p0"
            function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
            to_read, into_every_cache, data_cache = (ir.Constant(_I32, flag) for flag in (0, 3, 1))
            for number in range(0, WIDTH, step):
                place = builder.sext(builder.extract_element(arguments[2], ir.Constant(_I32, number)), _I64)
                builder.call(function, [builder.gep(base, [place]), to_read, into_every_cache, data_cache])
            return context.get_dummy_value()

        return types.none(values, types.int64, INTS), emit

    return instructions(prefetch)


prefetch_at = _prefetching(1)
"""Have the processor fetch what `neighbours_at` will load, without waiting for it."""
prefetch_some_at = _prefetching(ACROSS + 1)
"""The same for the lanes on the diagonal of a block: where pixels lie close, the others share their cache lines."""
