"""What the engine counts, and how it tells: the text format of Prometheus (version 0.0.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from .cache import Cache
from .picture import Drawn
from .workers import WorkerPool

if TYPE_CHECKING:
    from .engine import Engine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(slots=True)
class Counters:
    """Pictures so far. Counted on the event loop."""

    pictures: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By renderer ("numba/1") and source ("frame", "volume")."""
    seconds: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By renderer and stage: "load", "render", "encode"."""
    reused: int = 0
    """Pictures that were encoded anew and not drawn again."""
    busy: int = 0
    """Pictures that were refused because too many waited."""

    def count(self, drawn: Drawn, source: str, reused: bool) -> None:
        renderer = str(drawn.header["renderer"])
        self.pictures[renderer, source] += 1
        self.reused += reused
        for stage, milliseconds in drawn.header["timing_ms"].items():
            if not (reused and stage == "render"):
                self.seconds[renderer, stage] += milliseconds / 1000


class Sample(NamedTuple):
    """One line: labels and a number."""

    value: float
    labels: dict[str, str] = {}


class Metric(NamedTuple):
    name: str
    kind: str
    """"counter" or "gauge"."""
    help: str
    samples: list[Sample]


def exposition(engine: Engine) -> str:
    """Everything there is to tell, as text. Reads plain numbers only, so it may be called from any thread."""
    return text_of((*_pictures(engine), *_caches(engine), *_work(engine)))


def text_of(metrics: Iterable[Metric]) -> str:
    """Metrics in the text format."""
    lines: list[str] = []
    for metric in metrics:
        name = f"farview_{metric.name}"
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        lines += [f"{name}{_labels(sample.labels)} {sample.value:.10g}" for sample in metric.samples]
    return "\n".join(lines) + "\n"


def _pictures(engine: Engine) -> Iterable[Metric]:
    counters, device = engine.counters, engine.device
    yield Metric(
        "pictures_total",
        "counter",
        "Pictures by what drew them (numba: processor, cuda: GPU) and what they were drawn from.",
        [Sample(n, {"renderer": r, "source": s}) for (r, s), n in sorted(counters.pictures.items())],
    )
    yield Metric(
        "picture_seconds_total",
        "counter",
        "Time that pictures took, by stage.",
        [Sample(n, {"renderer": r, "stage": s}) for (r, s), n in sorted(counters.seconds.items())],
    )
    yield Metric(
        "pictures_reused_total", "counter", "Pictures encoded anew, not drawn again.", [Sample(counters.reused)]
    )
    yield Metric("busy_total", "counter", "Pictures refused because too many waited.", [Sample(counters.busy)])
    yield Metric("gpu", "gauge", "1 while a GPU draws volumes.", [Sample(device is not None and not device.lost)])


def _caches(engine: Engine) -> Iterable[Metric]:
    kept: dict[str, Cache] = {"frames": engine.frames.cache, "volumes": engine.volumes.cache}  # type: ignore[type-arg]
    rows = [
        (name, cache.used, cache.limit, len(cache), cache.counts.hits, cache.counts.misses, cache.counts.evicted)
        for name, cache in kept.items()
    ]
    held = None if engine.device is None else engine.device.volumes
    if held is not None:
        counts_held = held.counts
        rows.append(
            ("gpu", held.used, held.limit, len(held), counts_held.hits, counts_held.misses, counts_held.evicted)
        )
    store = engine.store
    if store is not None:
        counts = store.counts
        rows.append(("decoded", store.used, store.limit, len(store), counts.read, counts.written, counts.evicted))
    meanings = (
        (
            "cache_bytes",
            "gauge",
            "Bytes kept: frames and volumes in memory, volumes on the GPU, decoded frames on disk.",
        ),
        ("cache_limit_bytes", "gauge", "Bytes that may be kept."),
        ("cache_entries", "gauge", "How many frames or volumes those are."),
        ("cache_hits_total", "counter", "Times that something was found."),
        ("cache_misses_total", "counter", "Times that something had to be made (on disk: was written)."),
        ("cache_evictions_total", "counter", "Times that something made room."),
    )
    for column, (name, kind, meaning) in enumerate(meanings, start=1):
        yield Metric(name, kind, meaning, [Sample(float(row[column]), {"cache": str(row[0])}) for row in rows])


def _work(engine: Engine) -> Iterable[Metric]:
    loads = engine.volumes.loads
    yield Metric(
        "volume_loads_total",
        "counter",
        "Volumes loaded, by how it ended.",
        [Sample(getattr(loads, end), {"end": end}) for end in ("done", "failed", "cancelled")],
    )
    yield Metric("volume_load_seconds_total", "counter", "Time that volumes took to load.", [Sample(loads.seconds)])
    yield Metric(
        "volumes_loading_bytes", "gauge", "Bytes of volumes on their way.", [Sample(engine.volumes.cache.reserved)]
    )
    yield Metric(
        "frames_decoded_total", "counter", "Frames that decode children decoded.", [Sample(engine.frames.decoded)]
    )
    waiting: dict[str, WorkerPool[Any]] = {
        "render": engine.renderers,
        "read": engine.readers,
        "decode": engine.children.pool,
    }
    yield Metric(
        "waiting",
        "gauge",
        "Interactive work that no thread has taken yet.",
        [Sample(pool.waiting, {"pool": name}) for name, pool in waiting.items()],
    )


def _labels(labels: dict[str, str]) -> str:
    """Names and values here hold no quotes, backslashes or line ends."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}" if labels else ""
