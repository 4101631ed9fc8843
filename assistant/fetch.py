"""Downloads official texts from the publishers that the manifest names, whole or not at all.

Only hosts of the manifest are asked, redirects included. Knows nothing of what is in a document beyond its first bytes.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from assistant.errors import Refused, Unreadable, UsageError

LARGEST = 100 * 1024 * 1024
SECONDS = 30.0
TRIES = 3
REDIRECTS = 5
FIRST_BYTES = {"pdf": re.compile(rb"%PDF-"), "xml": re.compile(rb"\s*(?:\xef\xbb\xbf)?<\?xml|\s*<[A-Za-z]"), "html": re.compile(rb"\s*(?:\xef\xbb\xbf)?<(?:\?xml|!doctype|html)", re.I), "json": re.compile(rb"\s*[\[{]")}  # fmt: skip
AGENT = "pincite (local compliance assistant; fetches official texts on a user's command)"


@dataclass(frozen=True, slots=True)
class Item:
    """One document to fetch: where from, what it must be (pdf, xml, html or json), and the file to keep it in."""

    name: str
    url: str
    expect: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it was received. `state`: new, unchanged, or changed (other bytes under the same address)."""

    name: str
    url: str
    file: str
    sha256: str
    bytes: int
    fetched: str
    etag: str
    modified: str
    state: str


def fetch(
    items: Sequence[Item], folder: Path, hosts: frozenset[str], now: Callable[[], str], say: Callable[[str], None], offline: bool
) -> tuple[list[Fetched], list[tuple[str, str, str]]]:
    """Fetch each item into `folder`; (what was fetched, (name, code, reason) of what was refused).

    Raises Refused when offline is set. A file is written under its name only when complete and of the kind promised; the
    older bytes of a changed document stay beside it under their hash.
    """
    if offline:
        raise Refused("Fetching is switched off (PINCITE_OFFLINE is set)", "Unset it, or copy the files here and run: pincite ingest FILE")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    done, refused = [], []
    for n, item in enumerate(items, 1):
        say(f"fetching {n} of {len(items)}: {item.name}")
        try:
            done.append(_one(item, folder, hosts, now()))
        except Unreadable as error:
            refused.append((item.name, error.code, error.line()))
    return done, refused


def _one(item: Item, folder: Path, hosts: frozenset[str], today: str) -> Fetched:
    import httpx

    target, note = folder / item.name, folder / f"{item.name}.fetched.json"
    held: dict[str, Any] = json.loads(note.read_text("utf8")) if note.exists() and target.exists() else {}
    failure: Unreadable | None = None
    with httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=False, headers={"User-Agent": AGENT, **dict(item.headers)}) as client:
        for _ in range(TRIES):
            try:
                return _receive(client, item, target, note, held, hosts, today)
            except httpx.HTTPError as error:
                failure = Unreadable(
                    "network", f"{item.url} could not be reached: {type(error).__name__}", "Try again later; what was received is kept and resumed"
                )
            except Unreadable as error:
                if error.code not in ("server-error", "truncated"):
                    raise
                failure = error
    raise failure or Unreadable("network", f"{item.url} could not be reached")


def _receive(client: Any, item: Item, target: Path, note: Path, held: Mapping[str, Any], hosts: frozenset[str], today: str) -> Fetched:
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    ask: dict[str, str] = {"Range": f"bytes={have}-"} if have else {}
    if held and not have:
        ask |= {k: v for k, v in (("If-None-Match", str(held["etag"])), ("If-Modified-Since", str(held["modified"]))) if v}
    url = item.url
    for _ in range(REDIRECTS):
        _check_host(url, hosts)
        with client.stream("GET", url, headers=ask) as answer:
            if answer.status_code in (301, 302, 303, 307, 308):
                url = urljoin(url, answer.headers.get("location", ""))
                continue
            if answer.status_code == 304:
                return Fetched(**{**held, "state": "unchanged"})
            _check_status(answer.status_code, item)
            _save(answer, part, have if answer.status_code == 206 else 0, item)
            return _finish(item, answer.headers, part, target, note, held, today)
    raise Unreadable("redirects", f"{item.url} redirects more than {REDIRECTS} times")


def _check_host(url: str, hosts: frozenset[str]) -> None:
    pieces = urlsplit(url)
    if pieces.netloc not in hosts:
        raise Unreadable(
            "other-host",
            f"it was sent on to {pieces.netloc or url}, which is no publisher of the manifest",
            "Fetch the document by hand and run: pincite ingest FILE",
        )


def _check_status(status: int, item: Item) -> None:
    if status in (200, 206):
        return
    if status == 202:
        raise Unreadable(
            "challenge", f"{item.url} answered with a check for robots (202)", "Open the address in a browser, save the page, and run: pincite ingest FILE"
        )
    if status == 416 or status >= 500:
        raise Unreadable("server-error", f"{item.url} answered {status}", "Try again later")
    raise Unreadable("not-found" if status in (404, 410) else "refused", f"{item.url} answered {status}", "Look the address up: pincite corpus list")


def _save(answer: Any, part: Path, start: int, item: Item) -> None:
    expected = answer.headers.get("content-length")
    size = start
    with part.open("ab" if start else "wb") as out:
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if size > LARGEST:
                out.close()
                part.unlink()
                raise Unreadable("too-large", f"{item.url} is larger than {LARGEST >> 20} MB")
            out.write(chunk)
    if expected and answer.headers.get("content-encoding") is None and size - start != int(expected):
        raise Unreadable("truncated", f"{item.url} broke off after {size} bytes", "Run the command again; it resumes")


def _finish(item: Item, headers: Mapping[str, str], part: Path, target: Path, note: Path, held: Mapping[str, Any], today: str) -> Fetched:
    data = part.read_bytes()
    if not FIRST_BYTES[item.expect].match(data[:200]):
        part.unlink()
        raise Unreadable(
            "wrong-kind",
            f"{item.url} sent something that is no {item.expect.upper()} (it begins {data[:30]!r})",
            "Open the address in a browser and save the document",
        )
    digest = hashlib.sha256(data).hexdigest()
    state = "new" if not held else "unchanged" if held["sha256"] == digest else "changed"
    if state == "changed":
        target.replace(target.with_name(f"{target.stem}.{str(held['sha256'])[:12]}{target.suffix}"))
    fetched = Fetched(item.name, item.url, str(target), digest, len(data), today, headers.get("etag", ""), headers.get("last-modified", ""), state)
    part.chmod(0o600)
    part.replace(target)
    aside = note.with_name(note.name + ".part")
    aside.write_text(json.dumps(asdict(fetched), indent=2), "utf8")
    aside.replace(note)
    return fetched


def items_for(rows: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> list[Item]:
    """The documents of the manifest's `fetch` rows, all or those named by work or instrument."""
    known = {str(r["id"]) for r in rows} | {str(r["work"]) for r in rows} | {str(r["instrument"]) for r in rows}
    for wanted in ids:
        if wanted not in known:
            raise UsageError(f"The manifest names no document '{wanted}'", f"Choose from {', '.join(sorted(known))}")
    chosen = [r for r in rows if not ids or {str(r["id"]), str(r["work"]), str(r["instrument"])} & set(ids)]
    return [Item(str(r["file"]), str(r["url"]), str(r["expect"]), tuple((str(a), str(b)) for a, b in r.get("headers", {}).items())) for r in chosen]
