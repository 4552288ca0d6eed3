"""Words of descriptions, patterns for them, and the part of the body that they speak of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import lru_cache


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """Small letters without accents; everything that is no letter or digit is a space."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign)).casefold()
    return " ".join(re.findall(r"[^\W_]+", kept))


@lru_cache(maxsize=8192)
def found(pattern: str, text: str) -> bool:
    """Are all words of `pattern` in `text`? "*" stands for any letters: "t1*" finds "T1w", "ax* t2" finds "T2 axial"."""
    words = folded(text).split()
    wanted = [folded(part) if "*" not in part else _star(part) for part in pattern.split()]
    return all(any(fnmatchcase(word, one) for word in words) for one in " ".join(wanted).split())


def _star(part: str) -> str:
    return "*".join(folded(piece).replace(" ", "") for piece in part.split("*"))


def any_found(patterns: Iterable[str], text: str) -> bool:
    return any(found(pattern, text) for pattern in patterns)


def regions_in(text: str) -> frozenset[str]:
    """Parts of the body that a text names: BodyPartExamined (PS3.16 Annex L) or a description."""
    return frozenset(region for region, patterns in REGIONS.items() if any_found(patterns, text))


def region_named(name: str) -> str | None:
    """The region that a protocol means by `name`: one of `REGIONS`, or a Body Part Examined that speaks of one."""
    plain = folded(name)
    if plain in REGIONS:
        return plain
    return min(regions_in(name), default=None)


REGIONS: dict[str, tuple[str, ...]] = {
    "head": ("head", "skull", "brain", "cerebr*", "cranial", "crani*", "kopf", "schadel*", "gehirn", "neuro*", "tete",
             "cerveau", "cabeza", "cerebro", "encephal*", "orbit*", "sinus", "pituitary", "iac"),
    "neck": ("neck", "hals", "cuello", "larynx", "thyroid", "carotid*", "parotid"),
    "chest": ("chest", "thorax", "thora*", "lung*", "pulmon*", "torax", "poumon*", "rib", "ribs", "mediastinum", "hrct"),
    "heart": ("heart", "cardiac", "cardio*", "coronar*", "herz", "coeur", "corazon", "echocardio*"),
    "breast": ("breast*", "mamm*", "brust", "mama"),
    "abdomen": ("abdomen", "abdomin*", "abd", "liver", "leber", "kidney*", "renal", "pancreas", "spleen", "bowel", "vientre",
                "urogram", "upper abdomen", "mrcp"),
    "pelvis": ("pelvis", "pelvic", "becken", "bassin", "prostat*", "uterus", "rectum", "bladder"),
    "spine": ("spine", "*spine", "wirbel*", "hws", "bws", "lws", "rachis", "columna", "lumbar", "cervical spine", "vertebr*",
              "myelo*", "sacr*"),
    "shoulder": ("shoulder*", "schulter", "epaule", "hombro", "clavicle", "scapula"),
    "arm": ("arm", "elbow", "ellbogen", "humerus", "forearm", "coude", "codo", "radius", "ulna"),
    "hand": ("hand", "wrist", "finger*", "thumb", "handgelenk", "poignet", "mano", "muneca"),
    "hip": ("hip", "hips", "hufte", "hanche", "cadera"),
    "knee": ("knee*", "knie", "genou", "rodilla", "patella"),
    "leg": ("leg", "femur", "tibia", "fibula", "thigh", "unterschenkel", "oberschenkel", "jambe", "pierna", "calf"),
    "foot": ("foot", "ankle", "toe*", "fuss", "sprunggelenk", "pied", "cheville", "pie", "tobillo", "calcaneus", "heel"),
    "teeth": ("tooth", "teeth", "dental", "jaw", "mandible", "maxilla", "panorex", "opg"),
    "whole body": ("whole body", "wholebody", "ganzkorper", "corps entier", "eyes to thighs", "skull base to thigh"),
}  # fmt: skip
"""Region -> patterns for the words that speak of it."""
