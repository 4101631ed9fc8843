"""Official texts come whole from their publisher, or not at all. A server on loopback plays the publisher and its failures."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import fetch
from assistant.errors import Refused, UsageError
from assistant.fetch import Item

PDF = b"%PDF-1.7\n" + b"law " * 5000
PAGE = b"<!DOCTYPE html><html><body>law</body></html>"


class Publisher(http.server.BaseHTTPRequestHandler):
    """Serves /good, /page and one path for each failure; counts what it was asked."""

    asked: list[tuple[str, str]] = []
    body = PDF

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("Range", "")))
        path = self.path
        if path in ("/404", "/500", "/202", "/403"):
            return self.reply(int(path[1:]), b"<html>no</html>")
        if path == "/away":
            return self.reply(302, b"", {"Location": "http://elsewhere.invalid/doc"})
        if path == "/near":
            return self.reply(302, b"", {"Location": "/good"})
        if path == "/loop":
            return self.reply(302, b"", {"Location": "/loop"})
        if path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", str(len(PDF) + 100))
            self.end_headers()
            self.wfile.write(PDF)
            return None
        if path == "/breaks":
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(PDF) - start))
            self.end_headers()
            self.wfile.write(PDF[start : start + 6000] if start < 12000 else PDF[start:])
            return None
        if path == "/page":
            return self.reply(200, PAGE)
        if path == "/etag" and self.headers.get("If-None-Match") == '"1"':
            return self.reply(304, b"")
        if path == "/flaky" and len([a for a, _ in self.asked if a == "/flaky"]) < 3:
            return self.reply(503, b"")
        return self.reply(200, type(self).body, {"ETag": '"1"'})

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def publisher() -> Iterator[str]:
    Publisher.asked, Publisher.body = [], PDF
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def get(host: str, path: str, folder: Path, expect: str = "pdf", offline: bool = False) -> tuple[list[fetch.Fetched], list[tuple[str, str, str]]]:
    item = Item("doc." + expect, f"http://{host}{path}", expect)
    return fetch.fetch([item], folder, frozenset({host}), lambda: "2026-11-22", lambda _: None, offline)


def test_a_document_is_kept_with_hash_date_and_tag(publisher: str, tmp_path: Path) -> None:
    (got,), refused = get(publisher, "/good", tmp_path)
    assert refused == [] and got.state == "new" and got.etag == '"1"' and got.fetched == "2026-11-22"
    assert (tmp_path / "doc.pdf").read_bytes() == PDF
    assert json.loads((tmp_path / "doc.pdf.fetched.json").read_text())["sha256"] == got.sha256


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/404", "not-found"),
        ("/403", "refused"),
        ("/500", "server-error"),
        ("/202", "challenge"),
        ("/away", "other-host"),
        ("/loop", "redirects"),
        ("/page", "wrong-kind"),
    ],
)
def test_each_failure_has_a_code_and_leaves_nothing(path: str, code: str, publisher: str, tmp_path: Path) -> None:
    got, ((name, found, reason),) = get(publisher, path, tmp_path)
    assert got == [] and name == "doc.pdf" and found == code and "\n" not in reason
    assert not (tmp_path / "doc.pdf").exists()


def test_a_redirect_within_the_publisher_is_followed(publisher: str, tmp_path: Path) -> None:
    (got,), _ = get(publisher, "/near", tmp_path)
    assert got.bytes == len(PDF)


def test_a_truncated_body_never_gets_its_name(publisher: str, tmp_path: Path) -> None:
    got, refused = get(publisher, "/short", tmp_path)
    assert got == [] and refused[0][1] in ("truncated", "network")
    assert not (tmp_path / "doc.pdf").exists()


def test_a_broken_download_is_resumed(publisher: str, tmp_path: Path) -> None:
    (got,), refused = get(publisher, "/breaks", tmp_path)
    assert refused == [] and (tmp_path / "doc.pdf").read_bytes() == PDF and got.bytes == len(PDF)
    assert [r for p, r in Publisher.asked if r] == ["bytes=6000-", "bytes=12000-"]


def test_a_server_that_recovers_is_asked_again(publisher: str, tmp_path: Path) -> None:
    (got,), _ = get(publisher, "/flaky", tmp_path)
    assert got.state == "new"


def test_an_oversized_body_is_stopped(publisher: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "LARGEST", 1000)
    _, refused = get(publisher, "/good", tmp_path)
    assert refused[0][1] == "too-large" and list(tmp_path.iterdir()) == []


def test_unchanged_is_not_sent_again_and_changed_is_kept_beside(publisher: str, tmp_path: Path) -> None:
    (first,), _ = get(publisher, "/etag", tmp_path)
    (second,), _ = get(publisher, "/etag", tmp_path)
    assert (first.state, second.state) == ("new", "unchanged")
    get(publisher, "/good", tmp_path)
    Publisher.body = PDF + b"amended"
    (third,), _ = get(publisher, "/good", tmp_path)
    assert third.state == "changed"
    assert (tmp_path / "doc.pdf").read_bytes() == PDF + b"amended"
    assert (tmp_path / f"doc.{first.sha256[:12]}.pdf").read_bytes() == PDF


def test_offline_is_a_policy(publisher: str, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        get(publisher, "/good", tmp_path, offline=True)
    assert Publisher.asked == []


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(UsageError, match="no document 'x'"):
        fetch.items_for([{"id": "a", "work": "b", "instrument": "c", "file": "f", "url": "u", "expect": "pdf"}], ["x"])
