"""What a text can link to: the key images and measurements of a study, each with the words that the link shows."""

from __future__ import annotations

from typing import Any

from viewer.marks.annotating import SAID, number_words
from viewer.models import KeyImage, Measurement, Series, Study

NAMES = {"long": "long axis", "short": "short axis", "sd": "SD", "minimum": "min", "maximum": "max"}


def key_images(study: Study) -> list[KeyImage]:
    held = KeyImage.objects.filter(study=study, deleted_at=None).select_related("study__organization")
    return list(held.order_by("created_at", "id"))


def measurements(study: Study) -> list[Measurement]:
    held = Measurement.objects.filter(study=study, deleted_at=None).exclude(kind__in=("text", "arrow", "calibration"))
    return list(held.order_by("created_at", "id"))


def numbers_of_series(study: Study) -> dict[str, Series]:
    return {one.series_instance_uid: one for one in Series.objects.filter(study=study)}


def words_of_key_image(kept: KeyImage, series: Series | None) -> str:
    """ "image 12, series 3": short enough to stand in a sentence."""
    frame = kept.view.get("frame")
    plane = kept.view.get("plane")
    what = (
        f"image {frame + 1}" if isinstance(frame, int) else f"{plane if isinstance(plane, str) else 'oblique'} picture"
    )
    if kept.view.get("projection") not in (None, "slice"):
        what = {"mip": "MIP", "minip": "MinIP", "mean": "mean", "volume": "3D picture"}[kept.view["projection"]]
    return safe(f"{what}, series {series.number}" if series and series.number is not None else what)


def values_of(mark: Measurement) -> list[dict[str, str]]:
    """The numbers of a measurement that can stand in a sentence, the first one first."""
    found = []
    for name in [*SAID.get(mark.kind, ()), *mark.values]:
        words = words_of_value(mark.values.get(name))
        if words and name not in {one["name"] for one in found}:
            found.append({"name": name, "label": NAMES.get(name, name), "words": words})
    return found


def words_of_measurement(mark: Measurement) -> str:
    """ "12.3 mm", "45.1 mm x 30.2 mm": what a link to it shows when no single number is chosen."""
    if mark.kind == "bidirectional":
        both = [words_of_value(mark.values.get(name)) for name in ("long", "short")]
        if all(both):
            return safe(" x ".join(both))
    values = values_of(mark)
    return safe(values[0]["words"] if values else mark.label or mark.kind)


def words_of_value(said: Any) -> str:
    """A number with its unit, rounded as the viewer shows it; empty for what is none."""
    return safe(number_words(said))


def safe(words: str) -> str:
    """Words that can stand inside a chip."""
    return " ".join(words.translate(str.maketrans("[]|", "()/")).split())[:200]
