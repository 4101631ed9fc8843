"""Projects: what a person gathers about one device, as rows of the record of their own: a name, pinned passages, and the runs made for it."""

import secrets
from collections.abc import Mapping
from typing import Any

from assistant import record
from assistant.errors import UsageError

LONGEST = 80  # characters of a name


def found(store: record.Store, owner: str) -> list[dict[str, Any]]:
    """The projects of a user, the newest first: id, name, time."""
    return [{"id": k.id, "name": k.content["name"], "time": k.time} for k in record.all_kept(store, "project") if k.content.get("owner") == owner]


def opened(store: record.Store, owner: str, id: str) -> dict[str, Any]:
    """A project of the user's own with its `pins` and `runs`, the newest first. Raises UsageError; another's is, from outside, not there."""
    one = next((p for p in found(store, owner) if p["id"] == id), None)
    if one is None:
        raise UsageError("There is no such project of yours", "Choose one, or write the name of a new one")
    pins = [{"id": k.id, "time": k.time, **k.content} for k in record.all_kept(store, "pin") if k.content["project"] == id]
    runs = [{"run": k.content["run"], "kind": k.content["kind"], "time": k.time} for k in record.all_kept(store, "project-run") if k.content["project"] == id]
    return {**one, "owner": owner, "pins": pins, "runs": runs}


def add(store: record.Store, time: str, owner: str, name: str) -> str:
    """Begin a project; its id, which is the old one's where the user has a project of this name."""
    plain = " ".join(name.split())[:LONGEST]
    if not plain:
        raise UsageError("A project needs a name", "Write one, such as the device's")
    held = next((p["id"] for p in found(store, owner) if p["name"].lower() == plain.lower()), "")
    id = str(held or secrets.token_hex(8))
    if not held:
        record.keep_run(store, id, time, "project", {"owner": owner, "name": plain})
    return id


def pin(store: record.Store, time: str, owner: str, project: str, ask: str, question: str, citation: Mapping[str, Any]) -> str:
    """Keep a cited passage with a project; its id, which is the old one's for a passage that is pinned already."""
    place = ("pinpoint", "version", "layer", "start", "end")
    for old in opened(store, owner, project)["pins"]:
        if all(old["citation"][k] == citation[k] for k in place):
            return str(old["id"])
    id = secrets.token_hex(8)
    content = {"owner": owner, "project": project, "ask": ask, "question": question, "citation": dict(citation)}
    record.keep_run(store, id, time, "pin", content)
    return id


def unpin(store: record.Store, owner: str, id: str) -> str:
    """Take a pinned passage out of its project; the project's id."""
    kept = record.kept(store, id)
    if kept is None or kept.kind != "pin" or kept.content["owner"] != owner:
        raise UsageError("There is no such pin of yours", "It may have been taken out before")
    record.erase_run(store, id)
    return str(kept.content["project"])


def add_run(store: record.Store, time: str, owner: str, project: str, run: str, kind: str) -> None:
    """Note that a run was made for a project."""
    opened(store, owner, project)
    record.keep_run(store, secrets.token_hex(8), time, "project-run", {"owner": owner, "project": project, "run": run, "kind": kind})
