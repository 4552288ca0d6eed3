"""The kernels as PTX, the assembly language of CUDA, for graphics processors of three generations. No device is needed.

NVIDIA's compiler makes it where requirements-gpu.txt is installed; else LLVM's own, which comes with Numba.
"""

from __future__ import annotations

import importlib.util
import math
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from viewer.rendering.compositing import step_of
from viewer.rendering.device import Device
from viewer.rendering.device_check import WINDOW, waves
from viewer.rendering.projections import Rays
from viewer.rendering.transfer import presets_for, table_of

GENERATIONS = {"Turing": "75", "Hopper": "90", "Blackwell": "120"}
RAYS = Rays((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), samples=4)


class Recorder:
    """A processor that draws nothing and keeps the types with which kernels are launched."""

    name, memory = "recorder", 1 << 30

    def __init__(self) -> None:
        self.launched: dict[tuple[str, str], tuple[Any, ...]] = {}

    def upload(self, array: Any) -> Any:
        return array.copy()

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        return np.zeros(shape, dtype)

    def launch(self, kernel: str, size: tuple[int, int], *arguments: Any) -> None:
        assert size[0] > 0
        self.launched[kernel, str(arguments[0].dtype)] = tuple(map(numba.typeof, arguments))

    def download(self, held: Any) -> Any:
        return held

    def release(self) -> None:
        pass

    def is_out_of_memory(self, error: BaseException) -> bool:
        return False


@cache
def launched() -> dict[tuple[str, str], tuple[Any, ...]]:
    """The argument types of every kernel that `Device` launches, by kernel and type of voxels."""
    recorder = Recorder()
    device = Device(lambda: recorder)
    device.open()
    for dtype in (np.int16, np.float32):
        volume = waves(dtype)
        device.sampled(volume, RAYS, "mip", (4, 4), 1, WINDOW, -math.inf, math.inf)
        table = table_of(presets_for(volume.description)[0], volume, step_of(volume, RAYS))
        device.lit(volume, RAYS, table, None, (4, 4))
    device.close()
    return recorder.launched


def with_llvm(irs: list[str]) -> dict[str, str]:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    module, *others = (llvm.parse_assembly(ir) for ir in irs)
    for other in others:
        module.link_in(other)
    target = llvm.Target.from_triple("nvptx64-nvidia-cuda")
    machines = {name: target.create_target_machine(cpu=f"sm_{arch}", opt=3) for name, arch in GENERATIONS.items()}
    builder = llvm.create_pass_builder(machines["Turing"], llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    return {name: machine.emit_assembly(module) for name, machine in machines.items()}


@pytest.fixture
def ptx_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], dict[str, str]]:
    """PTX of a kernel, by generation. Numba asks the device what it can do; here is the answer."""
    from numba import cuda
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv import nvrtc, nvvm

    made: dict[str, str] = {}
    nvidia = nvvm.compile_ir if installed() else None

    def compile_ir(llvm_ir: Any, **options: Any) -> bytes:
        irs = [llvm_ir] if isinstance(llvm_ir, str) else llvm_ir
        assert options["fma"] is False
        if nvidia is None:
            made.update(with_llvm(irs))
        else:
            for generation, arch in GENERATIONS.items():
                made[generation] = nvidia(irs, **{**options, "arch": f"compute_{arch}"}).decode().strip("\0")
        return b""

    monkeypatch.setattr(dispatcher, "get_current_device", lambda: SimpleNamespace(compute_capability=(9, 0)))
    monkeypatch.setattr(nvvm, "compile_ir", compile_ir)
    if nvidia is None:
        layout = SimpleNamespace(data_layout=nvvm.NVVM.data_layout.fget(None), get_ir_version=lambda: (2, 0, 3, 2))
        monkeypatch.setattr(nvvm, "NVVM", lambda: layout)
        monkeypatch.setattr(nvrtc, "get_arch_option", lambda major, minor: f"compute_{major}{minor}")
    from viewer.rendering import device_kernels

    kernels = device_kernels.kernels()

    def compiled(kernel: str, dtype: str) -> dict[str, str]:
        cuda.compile_ptx(kernels[kernel].py_func, numba.void(*launched()[kernel, dtype]), cc=(9, 0))
        return made

    return compiled


def installed() -> bool:
    """Whether NVIDIA's compiler is."""
    from numba.cuda.cudadrv import nvrtc, nvvm

    try:
        nvvm.NVVM()
        nvrtc.get_arch_option(9, 0)
    except Exception:
        return False
    return True


def assembled(ptx: str, arch: str, folder: Path) -> None:
    """Through NVIDIA's assembler, where it is installed."""
    program = shutil.which("ptxas")
    spec = importlib.util.find_spec("nvidia")
    for folder_of in () if spec is None else spec.submodule_search_locations or ():
        program = next(map(str, Path(folder_of).glob("*/bin/ptxas")), program)
    if program is not None:
        source = folder / f"{arch}.ptx"
        source.write_text(ptx)
        # Without linking: NVIDIA's mathematics are no part of what LLVM makes.
        subprocess.run([program, "-c", f"-arch=sm_{arch}", str(source), "-o", str(folder / "out")], check=True)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("kernel", ["project", "composite"])
def test_kernels_of_volumes_compile_with_32_bits_and_every_operation_rounded(
    ptx_of: Callable[[str, str], dict[str, str]], kernel: str, dtype: str, tmp_path: Path
) -> None:
    for generation, ptx in ptx_of(kernel, dtype).items():
        assert f".target sm_{GENERATIONS[generation]}" in ptx
        assert ".visible .entry" in ptx
        assert ".f64" not in ptx, generation
        assert re.findall(r"\b(?:fma|mad)\.[a-z.]*f32", ptx) == []
        assert re.findall(r"\b(?:add|sub|mul|div|sqrt)\.(?!rn)[a-z.]*f32", ptx) == []  # may be fused or be rough
        assert len(re.findall(r"\b(?:add|sub|mul)\.rn\.f32", ptx)) > 50
        assembled(ptx, GENERATIONS[generation], tmp_path)


def test_the_window_compiles(ptx_of: Callable[[str, str], dict[str, str]], tmp_path: Path) -> None:
    for generation, ptx in ptx_of("finish", "float32").items():
        assert f".target sm_{GENERATIONS[generation]}" in ptx
        assembled(ptx, GENERATIONS[generation], tmp_path)


def test_every_kernel_is_launched_and_compiled_here() -> None:
    from viewer.rendering import device_kernels

    assert {kernel for kernel, _ in launched()} == set(device_kernels.kernels())
