"""Projects: what people gather about one device, as rows of the record of their own: a name, pinned passages, the runs made for it, and with whom it is shared.

Here stands who may read what is another's: the runs of a project that was shared with them, and runs in which a task was given to them. Nobody else.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Literal

from assistant import record
from assistant.errors import Refused, UsageError

LONGEST = 80  # characters of a name
Access = Literal["", "view", "work", "own"]
SHARES: tuple[Access, ...] = ("view", "work")


def found(store: record.Store, user: str) -> list[dict[str, Any]]:
    """The projects of a user and those shared with them, the newest first: id, name, time, owner, access (own, work or view)."""
    rows = [(k, _access(k.content, user)) for k in record.all_kept(store, "project")]
    return [{"id": k.id, "name": k.content["name"], "time": k.time, "owner": k.content["owner"], "access": held} for k, held in rows if held]


def opened(store: record.Store, user: str, id: str) -> dict[str, Any]:
    """A project that the user may see, with `shared` (user: access), its `pins` and `runs`, the newest first. Raises UsageError; another's is, from outside, not there."""
    one = next((p for p in found(store, user) if p["id"] == id), None)
    kept = record.kept(store, id) if one else None
    if one is None or kept is None:
        raise UsageError("There is no such project of yours", "Choose one, or write the name of a new one")
    pins = [{"id": k.id, "time": k.time, **k.content} for k in record.all_kept(store, "pin") if k.content["project"] == id]
    return {**one, "shared": dict(kept.content.get("shared") or {}), "pins": pins, "runs": _runs(store, id)}


def _runs(store: record.Store, id: str) -> list[dict[str, Any]]:
    rows = [k for k in record.all_kept(store, "project-run") if k.content["project"] == id]
    return [{"run": k.content["run"], "kind": k.content["kind"], "time": k.time, "by": k.content["owner"]} for k in rows]


def _access(content: Mapping[str, Any], user: str) -> Access:
    if content.get("owner") == user:
        return "own"
    shared: Access = (content.get("shared") or {}).get(user, "")
    return shared if shared in SHARES else ""


def _worked_on(store: record.Store, user: str, id: str) -> dict[str, Any]:
    """The project, if the user may add to it."""
    one = opened(store, user, id)
    if one["access"] == "view":
        raise Refused(f"The project {one['name']} was shared with you to look at", f"Ask {one['owner']} to share it for work")
    return one


def add(store: record.Store, time: str, owner: str, name: str) -> str:
    """Begin a project; its id, which is the old one's where the user has a project of this name."""
    plain = " ".join(name.split())[:LONGEST]
    if not plain:
        raise UsageError("A project needs a name", "Write one, such as the device's")
    held = next((p["id"] for p in found(store, owner) if p["owner"] == owner and p["name"].lower() == plain.lower()), "")
    id = str(held or secrets.token_hex(8))
    if not held:
        record.keep_run(store, id, time, "project", {"owner": owner, "name": plain})
    return id


def share(store: record.Store, owner: str, id: str, user: str, access: str) -> None:
    """Let another user see a project ("view"), or add to it and decide on its runs ("work"); "" takes it back. Only its owner may."""
    one, kept = opened(store, owner, id), record.kept(store, id)
    if one["access"] != "own" or kept is None:
        raise Refused(f"The project {one['name']} is {one['owner']}'s to share", f"Ask {one['owner']}")
    if access and access not in SHARES:
        raise UsageError(f"'{access}' is no way to share", f"Choose one of: {', '.join(SHARES)}; or take it back")
    if user == owner or (access and record.user(store, user) is None):
        raise UsageError(f"'{user}' is {'the owner' if user == owner else 'no user here'}", "Name someone else: pincite users list")
    shared = {name: held for name, held in one["shared"].items() if name != user} | ({user: access} if access else {})
    record.keep_run(store, id, kept.time, "project", {**kept.content, "shared": shared})


def pin(store: record.Store, time: str, user: str, project: str, ask: str, question: str, citation: Mapping[str, Any]) -> str:
    """Keep a cited passage with a project; its id, which is the old one's for a passage that is pinned already."""
    place = ("pinpoint", "version", "layer", "start", "end")
    for old in _worked_on(store, user, project)["pins"]:
        if all(old["citation"][k] == citation[k] for k in place):
            return str(old["id"])
    id = secrets.token_hex(8)
    content = {"owner": user, "project": project, "ask": ask, "question": question, "citation": dict(citation)}
    record.keep_run(store, id, time, "pin", content)
    return id


def unpin(store: record.Store, user: str, id: str) -> str:
    """Take a passage that the user pinned, or that stands in a project of theirs, out of it; the project's id."""
    kept = record.kept(store, id)
    project = str(kept.content["project"]) if kept and kept.kind == "pin" else ""
    held = next((p["access"] for p in found(store, user) if p["id"] == project), "")
    if kept is None or not (held == "own" or (held == "work" and kept.content["owner"] == user)):
        raise UsageError("There is no such pin of yours", "It may have been taken out before")
    record.erase_run(store, id)
    return project


def add_run(store: record.Store, time: str, user: str, project: str, run: str, kind: str) -> None:
    """Note that a run of the user's own was made for a project; once."""
    one = _worked_on(store, user, project)
    if record.author(store, run) != user:
        raise UsageError(f"There is no run '{run}' of yours", "See what there is: pincite runs list")
    if run not in {r["run"] for r in one["runs"]}:
        record.keep_run(store, secrets.token_hex(8), time, "project-run", {"owner": user, "project": project, "run": run, "kind": kind})


def lent(store: record.Store, user: str) -> dict[str, Access]:
    """The runs of others that a user may read, each with what they may do: `view`, or `work` (decide, remark, sign, as far as their role goes).

    Only its own maker puts a run into a project (`add_run`), so that nobody opens another's by claiming it.
    """
    shared = {p["id"]: p["access"] for p in found(store, user)}
    out: dict[str, Access] = {}
    for k in record.all_kept(store, "project-run") if shared else ():
        held, run = shared.get(k.content["project"], ""), str(k.content["run"])
        if held:
            out[run] = "work" if held in ("own", "work") or out.get(run) == "work" else "view"
    return out | dict.fromkeys(record.handed(store, user), "work")
