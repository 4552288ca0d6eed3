"""The one way kernels are compiled: no interpreter lock, no threads of their own, kept on disk between starts."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar, cast

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}


def compiled(function: Function) -> Function:
    """Compile for the CPU at the first call.

    `nogil`: the engine's pool runs many at once. No `fastmath`: pictures are exact, so sums keep their order. A read-only
    installation without a home folder has no place for the cache: it compiles at every start.

    Numba looks at the kernel's own file alone to see whether the code on disk is out of date. Here the stamp also covers
    what the kernel takes from other files: compiled functions, intrinsics, classes and constants that its module imports by
    name. (What it reaches through a module, `module.function`, is not seen: import the name.)
    """
    try:
        dispatcher = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:
        return cast(Function, numba.njit(**_OPTIONS)(function))
    cache = getattr(dispatcher, "_cache", None)  # None where Numba is told not to compile
    if cache is not None:
        file = cache._cache_file
        file._source_stamp = (file._source_stamp, *stamp_of_imports(function))
    return cast(Function, dispatcher)


def inlined(function: Function) -> Function:
    """A part of kernels that is always compiled into them, never called: it needs no place on disk of its own."""
    return cast(Function, numba.njit(forceinline=True, **_OPTIONS)(function))


def stamp_of_imports(function: Callable[..., Any]) -> tuple[str, ...]:
    """Says another thing whenever something changed that `function` takes from other files."""
    files: set[Path] = set()
    constants: dict[str, str] = {}
    _collect(function, files, constants, set())
    files.discard(Path(inspect.getfile(function)))
    digests = (f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in sorted(files))
    return (*digests, *(f"{name} {value}" for name, value in sorted(constants.items())))


def _collect(function: Callable[..., Any], files: set[Path], constants: dict[str, str], seen: set[int]) -> None:
    names = getattr(function, "__globals__", {})
    if id(names) in seen:
        return
    seen.add(id(names))
    files.add(Path(inspect.getfile(function)))
    own = names.get("__name__")
    for name, value in list(names.items()):
        if isinstance(value, (bool, int, float, np.generic)):
            constants[f"{own}.{name}"] = repr(value)
        for source in _sources(value):
            if isinstance(source, type):
                files.add(Path(inspect.getfile(source)))
            else:
                _collect(source, files, constants, seen)


def _sources(value: Any) -> Iterator[Any]:
    """The Python function or class of ours behind a name of a module, where it can be part of a kernel."""
    if isinstance(value, type):
        if issubclass(value, tuple) and value.__module__.startswith(__package__):
            yield value
        return
    for attribute in ("py_func", "_defn"):  # of a compiled function; of an intrinsic
        source = getattr(value, attribute, None)
        if isinstance(source, FunctionType) and source.__module__.startswith(__package__):
            yield source
