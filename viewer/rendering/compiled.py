"""The one way kernels are compiled: no interpreter lock, no threads of their own, kept on disk between starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile for the CPU at the first call.

    `nogil`: the engine's pool runs many at once. No `fastmath`: pictures are exact, so sums keep their order. A kernel
    calls compiled functions of its own file only, because Numba's cache looks at the kernel's file alone to see whether
    it is out of date. A read-only installation without a home folder has no place for the cache: it compiles at every
    start.
    """
    options = {"nogil": True, "error_model": "numpy"}
    try:
        return cast(Function, numba.njit(cache=True, **options)(function))
    except RuntimeError:
        return cast(Function, numba.njit(**options)(function))
