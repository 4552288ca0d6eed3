"""The functions for one pixel as kernels of a graphics processor.

Nothing is computed here: `project_pixel`, `composite_pixel` and the steps of the window are the very functions that the CPU
runs; a thread of the graphics processor calls them for its own pixel. They are compiled without fast arithmetic and without
fused multiply-add, so that every operation rounds as it does on the CPU.

Imported only where a device is looked for: importing `numba.cuda` costs time. In place of it may stand Numba's simulator.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from types import FunctionType
from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from .grey import Greyscale
from .grey import _mean_of_blocks as mean_of_blocks
from .grey import _shade as shade_line
from .projections import project_pixel
from .shading import composite_pixel

THREADS = (8, 8)
"""Of a block, along columns and rows: neighbouring pixels read neighbouring voxels, and their rays end after about as many
samples. Larger blocks wait for their longest ray (16 x 16: a third longer for volume pictures)."""


def project(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    samples: int,
    projection: int,
    holes: bool,
    floor: np.float32,
    ceiling: np.float32,
    out: NDArray[np.float32],
) -> None:
    """As `projections.plain` with first row 0."""
    column, row = cuda.grid(2)
    if row < out.shape[0] and column < out.shape[1]:
        out[row, column] = project_pixel(values, rays, samples, projection, holes, floor, ceiling, row, column)


def composite(
    values: NDArray[Any],
    holes: bool,
    colours: NDArray[np.float32],
    leaps: NDArray[np.int16],
    numbers: NDArray[np.float32],
    out: NDArray[np.uint8],
) -> None:
    """As `compositing.composite` for the whole picture, (rows, columns, 3)."""
    column, row = cuda.grid(2)
    if row < out.shape[0] and column < out.shape[1]:
        red, green, blue = composite_pixel(values, holes, colours, leaps, numbers, row, column)
        out[row, column, 0] = red
        out[row, column, 1] = green
        out[row, column, 2] = blue


def finish(
    values: NDArray[np.float32],
    sub: int,
    numbers: NDArray[np.float64],
    curve: int,
    table: NDArray[np.float64],
    inverted: bool,
    out: NDArray[np.uint8],
) -> None:
    """As `grey.shade`: what `project` has left, (rows x sub, columns x sub), becomes the picture. `numbers`: slope,
    intercept, center, width, low, high, table_first. A thread keeps its pixel's mean in the first of the pixel's own values."""
    column, row = cuda.grid(2)
    if row < out.shape[0] and column < out.shape[1]:
        line = values[row * sub, column * sub : column * sub + 1]
        if sub > 1:
            mean_of_blocks(values[row * sub : (row + 1) * sub, column * sub : (column + 1) * sub], sub, line)
        line[0] = line[0] * np.float32(numbers[0]) + np.float32(numbers[1])
        pipeline = Greyscale(
            1.0, 0.0, table, 0.0, 1.0, 0.0, True, curve,
            numbers[2], numbers[3], numbers[4], numbers[5], table, numbers[6], inverted,
        )  # fmt: skip
        shade_line(line, pipeline, out[row, column : column + 1])


def kernels() -> dict[str, Any]:
    """The kernels of this file by name. They are compiled when they are first launched, once for each type of voxels."""
    without_fused_arithmetic()
    known: dict[Callable[..., Any], Any] = {}
    # Not optimised across functions by NVIDIA's linker, which would fuse arithmetic again. The simulator has no linker.
    options = {"lto": False} if "lto" in signature(cuda.jit).parameters else {}
    return {
        kernel.__name__: cuda.jit(_rebound(kernel, known), fastmath=False, **options)
        for kernel in (project, composite, finish)
    }


def _rebound(function: Any, known: dict[Callable[..., Any], Any]) -> FunctionType:
    """The code of a function of the CPU, calling its like on the graphics processor.

    What is compiled for the CPU cannot be called there, but its code can be compiled anew: every compiled function that it
    calls by name is replaced by the same code for the graphics processor. `known` holds those done before.
    """
    plain = getattr(function, "py_func", function)
    names = dict(plain.__globals__)
    for name in plain.__code__.co_names:
        called = getattr(names.get(name), "py_func", None)
        if called is None:
            continue
        if called not in known:
            known[called] = cuda.jit(_rebound(called, known), device=True, fastmath=False)
        names[name] = known[called]
    return FunctionType(plain.__code__, names, plain.__name__, plain.__defaults__)


def without_fused_arithmetic() -> None:
    """Have a * b + c rounded twice, as on the CPU. Numba has no option for it, but hands its options to NVVM by name."""
    from numba.cuda.cudadrv import nvvm

    compile_ir = getattr(nvvm, "compile_ir", None)
    if compile_ir is not None and not hasattr(compile_ir, "exact"):  # the simulator has none

        def exact(llvm_ir: Any, **options: Any) -> Any:
            return compile_ir(llvm_ir, **{"fma": False, **options})

        exact.exact = True  # type: ignore[attr-defined]
        nvvm.compile_ir = exact
