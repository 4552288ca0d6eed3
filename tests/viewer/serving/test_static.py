"""Static files: found under the build's address alone, kept for ever, never anything else."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.build import build_of
from viewer.serving.static import StaticFiles


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    inside = tmp_path / "static"
    inside.mkdir()
    (inside / "main.js").write_text("export const text = 'café';\n" * 100)
    (inside / "dot.png").write_bytes(b"\x89PNG" + bytes(2000))
    (inside / "deep").mkdir()
    (inside / "deep" / "look.css").write_text("body{}")
    (tmp_path / "secret.txt").write_text("secret")
    settings.STATICFILES_DIRS = [inside]
    return inside


async def get(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    await StaticFiles()({"type": "http", "method": method, "path": path, "headers": raw}, None, send)
    head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:])


HERE = settings.STATIC_URL


async def test_a_file_is_served_for_ever_with_its_type(folder: Path) -> None:
    status, head, body = await get(HERE + "main.js")
    assert status == 200
    assert body == (folder / "main.js").read_bytes()
    assert head["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in head["cache-control"]
    assert head["x-content-type-options"] == "nosniff"
    assert int(head["content-length"]) == len(body)


async def test_text_is_packed_for_whoever_takes_it(folder: Path) -> None:
    _, head, body = await get(HERE + "main.js", accept_encoding="br, gzip")
    assert head["content-encoding"] == "gzip"
    assert gzip.decompress(body) == (folder / "main.js").read_bytes()
    assert "content-encoding" not in (await get(HERE + "main.js", accept_encoding="gzip;q=0, identity"))[1]
    assert "content-encoding" not in (await get(HERE + "dot.png", accept_encoding="gzip"))[1]


async def test_what_the_browser_has_is_not_sent_again(folder: Path) -> None:
    etag = (await get(HERE + "main.js"))[1]["etag"]
    status, head, body = await get(HERE + "main.js", if_none_match=f'"other", W/{etag}')
    assert (status, body, head["etag"]) == (304, b"", etag)
    assert (await get(HERE + "main.js", if_none_match='"other"'))[0] == 200


async def test_head_tells_the_length_without_the_content(folder: Path) -> None:
    status, head, body = await get(HERE + "dot.png", "HEAD")
    assert (status, head["content-length"], body) == (200, "2004", b"")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "deep",
        "deep/",
        "../secret.txt",
        "deep/../../secret.txt",
        "/etc/passwd",
        "..\\secret.txt",
        "main.js\0",
        "deep//look.css",
        "./main.js",
    ],
)
async def test_nothing_else_is_found(folder: Path, name: str) -> None:
    assert (await get(HERE + name))[0] == 404


async def test_another_build_is_not_found(folder: Path) -> None:
    assert (await get("/static/0123456789ab/main.js"))[0] == 404
    assert (await get("/static/main.js"))[0] == 404


async def test_nothing_is_written(folder: Path) -> None:
    status, head, _ = await get(HERE + "main.js", "POST")
    assert (status, head["allow"]) == (405, "GET, HEAD")


def test_the_build_changes_with_any_name_or_content(tmp_path: Path) -> None:
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "b").write_text("2")
    first = build_of([folder])
    assert build_of([folder]) == first
    (folder / "a").write_text("2")
    second = build_of([folder])
    (folder / "b").rename(folder / "c")
    assert len({first, second, build_of([folder])}) == 3
    assert f"/static/{settings.FARVIEW_BUILD}/" == HERE
