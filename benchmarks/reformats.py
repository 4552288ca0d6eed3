"""Oblique slices, slabs, maximum intensity and volume pictures: our renderer beside VTK, SimpleITK and SciPy.

The same volume, plane, field of view and size; every turn has an angle of its own, so nothing can be kept. Ours includes the
window step and ends with 8 bits; a peer's time is its filter alone.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import scan
from benchmarks.timing import alternately, ms, note, table, times
from viewer.rendering.render import render, warm
from viewer.rendering.view import View

SIZE = 512
SPACING = 0.78
STEP = 0.75
"""mm between the samples of a slab, which is the smallest spacing of the scan's voxels."""
THICK = 26 * STEP
MOVING = 256 * 256
"""Pixels of a heavy picture while the hand moves."""
CENTER, WIDTH = 40.0, 400.0
Work = Callable[[int], object]


def run() -> None:
    """Every kind of picture that peers can draw too."""
    warm()
    threads = len(os.sched_getaffinity(0))
    rows: list[tuple[object, ...]] = []
    agreements: list[str] = []
    for name, view_of, peers, turns in _kinds():
        ours = _ours(view_of, MOVING if "moving" in name else None)
        contenders: dict[str, Work] = {f"Farview, {threads} threads": partial(ours, threads)}
        if turns > 20:
            contenders["Farview, 1 thread"] = partial(ours, 1)
        contenders |= peers
        medians = alternately(contenders, turns, seconds=60.0)
        best = medians[f"Farview, {threads} threads"]
        rows += [
            (name, who, ms(taken), "" if who.startswith("Farview") else times(best, taken))
            for who, taken in medians.items()
        ]
        agreements += _agreement(name, view_of, peers)
    table(
        f"Reformats of 512 x 512 x 400 int16, {SIZE} x {SIZE} pictures, median ms",
        ("", "who", "ms", "Farview against it"),
        rows,
    )
    for line in agreements:
        note(line)


def _kinds() -> list[tuple[str, Callable[[int], View], dict[str, Work], int]]:
    vtk = _vtk()
    oblique: dict[str, Work] = {}
    slab: dict[str, Work] = {}
    whole: dict[str, Work] = {}
    shaded: dict[str, Work] = {}
    if vtk is not None:
        oblique["VTK vtkImageReslice"] = lambda turn: vtk.reslice(turn, 0.0)
        slab["VTK vtkImageSlabReslice"] = lambda turn: vtk.reslice(turn, THICK)
        whole["VTK fixed-point ray cast"] = vtk.ray_cast("mip")
        shaded["VTK fixed-point ray cast"] = vtk.ray_cast("composite")
    for name, peer in (("SimpleITK Resample", _simpleitk()), ("SciPy map_coordinates", _scipy())):
        if peer is not None:
            oblique[name] = peer
    return [
        ("oblique slice", lambda turn: _view(turn), oblique, 40),
        ("slab MIP 20 mm, 27 samples", lambda turn: _view(turn, "mip", THICK), slab, 30),
        ("slab MIP 75 mm, 101 samples", lambda turn: _view(turn, "mip", 100 * STEP), {}, 10),
        ("whole MIP", lambda turn: _view(turn, "mip", "all"), whole, 20),
        ("whole MIP, 256 x 256 while moving", lambda turn: _view(turn, "mip", "all"), {}, 20),
        ("volume picture, bone, shaded", lambda turn: _view(turn, "volume", "all"), shaded, 20),
        ("volume picture, 256 x 256 while moving", lambda turn: _view(turn, "volume", "all"), {}, 20),
    ]


def _directions(turn: int) -> tuple[list[float], list[float]]:
    angle = 0.3 + 0.001 * turn
    return [math.cos(angle), 0.0, math.sin(angle)], [0.0, 1.0, 0.0]


def _view(turn: int, projection: str = "slice", thickness: float | str = 0.0, size: int = SIZE) -> View:
    row, column = _directions(turn)
    asked: dict[str, Any] = {
        "plane": {"row": row, "column": column},
        "center": list(_center()),
        "pixel_spacing": SPACING * SIZE / size,
        "size": [size, size],
        "projection": projection,
    }
    if projection == "volume":
        asked |= {"volume_preset": "bone"}
    else:
        asked |= {"slab_thickness": thickness, "window_center": CENTER, "window_width": WIDTH}
    return View.from_json(asked)


def _center() -> tuple[float, float, float]:
    shape = scan.SHAPE
    return scan.volume().geometry.point(((shape[0] - 1) / 2, (shape[1] - 1) / 2, (shape[2] - 1) / 2))


def _ours(view_of: Callable[[int], View], most: int | None) -> Callable[[int, int], float]:
    volume = scan.volume()

    def draw(threads: int, turn: int) -> float:
        def timed(run: Callable[..., None]) -> float:
            begun = time.perf_counter()
            render(volume, view_of(turn), most, run)
            return (time.perf_counter() - begun) * 1000

        return scan.on_threads(threads, timed)

    return draw


# --- peers


class Vtk:
    """The volume as VTK holds it: its own axes are x = column, y = row, z = slice, from the first voxel, in mm."""

    def __init__(self, vtk: Any) -> None:
        from vtk.util.numpy_support import numpy_to_vtk

        self.vtk = vtk
        values = scan.volume().values
        spacing = scan.volume().geometry.spacing
        self.image = vtk.vtkImageData()
        self.image.SetDimensions(*values.shape[::-1])
        self.image.SetSpacing(spacing[2], spacing[1], spacing[0])
        self.image.GetPointData().SetScalars(numpy_to_vtk(values.ravel(), deep=True, array_type=vtk.VTK_SHORT))
        self.center = self.image.GetCenter()
        self.last: Any = None

    def reslice(self, turn: int, thickness: float) -> float:
        """Milliseconds of the filter alone. Its z runs to the feet, so z of a direction changes its sign."""
        vtk = self.vtk
        filter_ = vtk.vtkImageSlabReslice() if thickness else vtk.vtkImageReslice()
        filter_.SetInputData(self.image)
        filter_.SetInterpolationModeToLinear()
        filter_.SetBackgroundLevel(-3000)
        if thickness:
            filter_.SetBlendModeToMax()
            filter_.SetSlabThickness(thickness + 1e-4)
            filter_.SetSlabResolution(STEP)
        else:
            filter_.SetOutputDimensionality(2)
        row, column = (np.array(one) * (1, 1, -1) for one in _directions(turn))
        filter_.SetResliceAxesDirectionCosines(*row, *column, *np.cross(row, column))
        filter_.SetResliceAxesOrigin(*self.center)
        filter_.SetOutputExtent(0, SIZE - 1, 0, SIZE - 1, 0, 0)
        filter_.SetOutputSpacing(SPACING, SPACING, 1)
        filter_.SetOutputOrigin(-SPACING * (SIZE - 1) / 2, -SPACING * (SIZE - 1) / 2, 0)
        begun = time.perf_counter()
        filter_.Update()
        spent = (time.perf_counter() - begun) * 1000
        self.last = filter_
        return spent

    def picture(self) -> NDArray[np.float64]:
        from vtk.util.numpy_support import vtk_to_numpy

        scalars = self.last.GetOutput().GetPointData().GetScalars()
        return np.asarray(vtk_to_numpy(scalars).reshape(SIZE, SIZE), np.float64)

    def ray_cast(self, mode: str) -> Work:
        """A render window that is never shown; the mapper is the CPU's."""
        vtk = self.vtk
        mapper = vtk.vtkFixedPointVolumeRayCastMapper()
        mapper.SetInputData(self.image)
        mapper.SetAutoAdjustSampleDistances(0)
        mapper.SetSampleDistance(min(scan.volume().geometry.spacing))
        color, opacity = vtk.vtkColorTransferFunction(), vtk.vtkPiecewiseFunction()
        low, high = (CENTER - WIDTH / 2, CENTER + WIDTH / 2) if mode == "mip" else (150.0, 900.0)
        color.AddRGBPoint(low, 0.0, 0.0, 0.0)
        color.AddRGBPoint(high, 1.0, 1.0, 1.0)
        opacity.AddPoint(low, 0.0)
        opacity.AddPoint(high, 1.0 if mode == "mip" else 0.35)
        prop = vtk.vtkVolumeProperty()
        prop.SetColor(color)
        prop.SetScalarOpacity(opacity)
        prop.SetInterpolationTypeToLinear()
        if mode == "mip":
            mapper.SetBlendModeToMaximumIntensity()
        else:
            prop.ShadeOn()
        actor = vtk.vtkVolume()
        actor.SetMapper(mapper)
        actor.SetProperty(prop)
        renderer = vtk.vtkRenderer()
        renderer.AddVolume(actor)
        window = vtk.vtkRenderWindow()
        window.SetOffScreenRendering(1)
        window.SetSize(SIZE, SIZE)
        window.AddRenderer(renderer)
        camera = renderer.GetActiveCamera()
        camera.ParallelProjectionOn()
        camera.SetParallelScale(SPACING * SIZE / 2)

        def draw(turn: int) -> float:
            row, column = (np.array(one) * (1, 1, -1) for one in _directions(turn))
            normal = np.cross(row, column)
            camera.SetFocalPoint(*self.center)
            camera.SetPosition(*(np.array(self.center) - 1000 * normal))
            camera.SetViewUp(*-column)
            renderer.ResetCameraClippingRange()
            begun = time.perf_counter()
            window.Render()
            return (time.perf_counter() - begun) * 1000

        return draw


def _vtk() -> Vtk | None:
    try:
        import vtk
    except ImportError:
        return None
    vtk.vtkObject.GlobalWarningDisplayOff()
    return Vtk(vtk)


def _simpleitk() -> Work | None:
    try:
        import SimpleITK as sitk
    except ImportError:
        return None
    volume = scan.volume()
    image = sitk.GetImageFromArray(volume.values)
    slices, rows, columns = (np.array(step) for step in volume.geometry.steps)
    spacing = volume.geometry.spacing
    image.SetSpacing((spacing[2], spacing[1], spacing[0]))
    axes = np.column_stack([columns / spacing[2], rows / spacing[1], slices / spacing[0]])
    image.SetDirection(axes.ravel().tolist())
    image.SetOrigin(volume.geometry.origin)

    def draw(turn: int) -> float:
        row, column = (np.array(one) for one in _directions(turn))
        origin = np.array(_center()) - SPACING * (SIZE - 1) / 2 * (row + column)
        plane = np.column_stack([row, column, np.cross(row, column)]).ravel().tolist()
        begun = time.perf_counter()
        sitk.Resample(
            image,
            (SIZE, SIZE, 1),
            sitk.Transform(),
            sitk.sitkLinear,
            origin.tolist(),
            (SPACING, SPACING, 1.0),
            plane,
            -3000,
        )
        return (time.perf_counter() - begun) * 1000

    return draw


def _scipy() -> Work | None:
    try:
        from scipy.ndimage import map_coordinates
    except ImportError:
        return None
    volume = scan.volume()
    to_voxels = volume.geometry.to_voxels

    def draw(turn: int) -> float:
        row, column = (np.array(one) for one in _directions(turn))
        along = (np.arange(SIZE) - (SIZE - 1) / 2) * SPACING
        points = (
            np.array(_center())[:, None, None]
            + column[:, None, None] * along[None, :, None]
            + row[:, None, None] * along[None, None, :]
        )
        places = np.tensordot(to_voxels[:, :3], points, 1) + to_voxels[:, 3][:, None, None]
        begun = time.perf_counter()
        map_coordinates(volume.values, places, order=1, cval=-3000, output=np.float32)
        return (time.perf_counter() - begun) * 1000

    return draw


def _agreement(name: str, view_of: Callable[[int], View], peers: dict[str, Work]) -> list[str]:
    """How much of our picture is within 2 grey levels of VTK's, where VTK gives values and not colours."""
    vtk_name = next((peer for peer in peers if "Reslice" in peer), None)
    if vtk_name is None:
        return []
    vtk = _vtk()
    if vtk is None:
        return []
    vtk.reslice(7, THICK if "Slab" in vtk_name else 0.0)
    theirs = vtk.picture()
    ours = render(scan.volume(), view_of(7)).pixels.astype(np.float64)
    grey = np.clip(((theirs - (CENTER - 0.5)) / (WIDTH - 1) + 0.5) * 255, 0, 255)
    inside = theirs > -2999
    share = float((np.abs(ours - grey)[inside] <= 2).mean())
    return [f"{name}: {share:.2%} of the pixels are within 2 grey levels of {vtk_name}'s."]
