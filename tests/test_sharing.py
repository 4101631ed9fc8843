"""Who may see what another made: the owner, an administrator, whom a project was shared with, to whom a task was given; nobody else, by no way."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import corpus, projects, record
from assistant.errors import PinciteError, Refused, UsageError
from assistant.roles import ROLES
from tests import attack
from tests.attack import House, Victim

PEOPLE = ("owner", "stranger", "viewer", "worker", "handed", "auditor", "reviewer", "root")
ROLE_OF = {"owner": "developer", "stranger": "compliance", "viewer": "auditor", "worker": "reviewer", "handed": "compliance", "root": "admin"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A developer's project: shared with an auditor to look at and a reviewer to work on; one finding of it was given to somebody in compliance."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", corpus.digest_instruments)
        patched.setenv("GRADIO_TEMP_DIR", "")
        made = House(tmp_path_factory.mktemp("shared") / "home")
        with made.client:
            for name in PEOPLE:
                role = ROLE_OF.get(name, name)
                record.keep_user(made.bench.home, record.User(name, role, record.secret_of(attack.PASSWORD)))
                made.users.append(Victim(name, role, f"mark{name}"))
            for user in made.users:
                if user.role != "auditor":
                    made._furnish(user)
                else:  # asks, and assesses nothing
                    user.cookie, user.session = made.sign_in(user.name), f"session{user.name}"
                    user.runs = (made.ask(user, "POST", "/api/ask", json={"question": "What does a consent manager do?"}).json()["audit"],)
            owner = made.users[0]
            with made.bench.acting("owner"):
                project = made.bench.add_project("Device")
                for run, kind in zip(owner.runs[:3], ("ask", "gaps", "draft"), strict=True):
                    made.bench.add_project_run(project, run, kind)
                made.bench.share_project(project, "viewer", "view")
                made.bench.share_project(project, "worker", "work")
            with made.bench.acting("root"):
                made.bench.comment(owner.runs[1], first(made, owner.runs[1]), "Look", "handed")
            yield made


def first(house: House, run: str) -> str:
    return str(record.run(house.bench.home, run)["findings"][0]["requirement"])  # type: ignore[index]


def whose(house: House, name: str) -> Victim:
    return next(u for u in house.users if u.name == name)


# Who may read which of the owner's runs: the answer, the assessment, the draft, the conversation.
READS = {"owner": "1111", "stranger": "0000", "viewer": "1110", "worker": "1110", "handed": "0100", "auditor": "0000", "reviewer": "0000", "root": "1111"}


@pytest.mark.parametrize(("who", "reads"), READS.items())
def test_what_may_be_read_by_route_verb_and_list(who: str, reads: str, house: House) -> None:
    owner, user = whose(house, "owner"), whose(house, who)
    for run, may in zip(owner.runs, reads, strict=True):
        status = house.ask(user, "GET", f"/api/runs/{run}").status_code
        assert status == (200 if may == "1" else 404), run
        assert house.ask(user, "GET", f"/export/{run}.json").status_code == status
        with house.bench.acting(who):
            assert bool(house.bench.access(run)) is (may == "1")
            assert (run in {r["id"] for r in house.bench.runs(most=1000)}) is (may == "1" and run != owner.runs[3])


@pytest.mark.parametrize("who", ["stranger", "auditor", "reviewer"])
def test_to_everyone_else_it_is_not_there(who: str, house: House) -> None:
    assert attack.crossed(house, whose(house, who), whose(house, "owner")) == []


Change = Callable[[House, str, str], object]
CHANGES: dict[str, Change] = {
    "decide": lambda h, run, target: h.bench.review(run, target, "accept"),
    "remark": lambda h, run, target: h.bench.comment(run, target, "A remark"),
    "hand on": lambda h, run, target: h.bench.comment(run, target, "Do it", "stranger2"),
    "sign": lambda h, run, target: h.bench.signoff(run, "author"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("who", "may"), [("owner", True), ("worker", True), ("handed", True), ("root", True), ("viewer", False), ("stranger", False), ("auditor", False)]
)
def test_who_looks_changes_nothing(who: str, may: bool, change: str, house: House) -> None:
    run = whose(house, "owner").runs[1]
    before = house.bench.verify_audit().records
    with house.bench.acting(who):
        if may:
            CHANGES[change](house, run, first(house, run))
        else:
            with pytest.raises((Refused, UsageError), match=r"to look at|There is no"):
                CHANGES[change](house, run, first(house, run))
    assert (house.bench.verify_audit().records > before) is may


@pytest.mark.parametrize("who", [p for p in PEOPLE if p not in ("owner", "root")])
def test_nobody_else_erases(who: str, house: House) -> None:
    for run in whose(house, "owner").runs:
        assert house.ask(whose(house, who), "DELETE", f"/api/runs/{run}").status_code in (403, 404)
        with house.bench.acting(who), pytest.raises(UsageError):
            house.bench.erase(run)


def project(house: House) -> str:
    return next(p["id"] for p in projects.found(house.bench.home, "owner") if p["name"] == "Device")


ATTACKS: dict[str, tuple[str, Callable[[House, str], object]]] = {
    "a stranger opens it": ("stranger", lambda h, p: h.bench.project(p)),
    "a stranger pins to it": ("stranger", lambda h, p: h.bench.pin(p, "a", "q", {})),
    "a viewer adds a run": ("viewer", lambda h, p: h.bench.add_project_run(p, whose(h, "viewer").runs[0], "ask")),
    "a worker shares it on": ("worker", lambda h, p: h.bench.share_project(p, "stranger", "view")),
    "a viewer raises his own share": ("viewer", lambda h, p: h.bench.share_project(p, "viewer", "work")),
    "the owner shares with nobody": ("owner", lambda h, p: h.bench.share_project(p, "nobody", "view")),
    "the owner shares with himself": ("owner", lambda h, p: h.bench.share_project(p, "owner", "view")),
    "the owner invents a way": ("owner", lambda h, p: h.bench.share_project(p, "stranger", "own")),
    "a worker claims a stranger's run": ("worker", lambda h, p: h.bench.add_project_run(p, whose(h, "stranger").runs[0], "ask")),
    "a thief claims a run for a project of his": ("stranger", lambda h, p: h.bench.add_project_run(h.bench.add_project("Mine"), whose(h, "owner").runs[0], "ask")),
    "a thief takes a run as the earlier one": ("stranger", lambda h, p: h.bench.gaps(whose(h, "stranger").card, "2026-11-22", ("dpdp",), since=whose(h, "owner").runs[1])),  # type: ignore[attr-defined]
    "a thief takes a bundle": ("stranger", lambda h, p: h.bench.bundle(whose(h, "owner").runs[1])),
    "a thief reads the remarks": ("stranger", lambda h, p: h.bench.remarks(whose(h, "owner").runs[1])),
    "a thief reads the card": ("stranger", lambda h, p: h.bench.card_files(record.run(h.bench.home, whose(h, "owner").runs[1])["card"]["sha256"])),  # type: ignore[index]
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_on_a_project(name: str, house: House, tmp_path: Path) -> None:
    who, attempt = ATTACKS[name]
    file = tmp_path / "README.md"
    file.write_text("# A card\n\nA model.")
    whose(house, "stranger").__dict__["card"] = file
    before = record.kept(house.bench.home, project(house))
    with house.bench.acting(who), pytest.raises(PinciteError):
        attempt(house, project(house))
    assert record.kept(house.bench.home, project(house)) == before


def test_a_share_taken_back_holds_at_once(house: House) -> None:
    run, user = whose(house, "owner").runs[0], whose(house, "stranger")
    for access, status in (("view", 200), ("", 404)):
        with house.bench.acting("owner"):
            house.bench.share_project(project(house), "stranger", access)
        assert house.ask(user, "GET", f"/api/runs/{run}").status_code == status
    shares = [(r.user, r.body["with"], r.body["access"]) for r in house.bench.audit_tail(20) if r.action == "share"]
    assert shares[-2:] == [("owner", "stranger", "view"), ("owner", "stranger", "")]


def test_a_draft_tells_nothing_of_a_strangers_card_of_the_same_name(house: House, tmp_path: Path) -> None:
    """Disagreements are looked for among the drafts that one may see, whatever name a card gives itself."""
    for who, words in (("owner", "It is for SECRETPURPOSE in adults."), ("stranger", "It is for something else.")):
        file = tmp_path / who / "README.md"
        file.parent.mkdir()
        file.write_text(f"# Same name\n\n## Intended use\n\n{words}\n")
        with house.bench.acting(who):
            made = house.bench.draft(file, "gdpr-dpia", "2026-11-22")["run"]
    assert "SECRETPURPOSE" not in house.ask(whose(house, "stranger"), "GET", f"/export/{made}.json").text
    with house.bench.acting("stranger"):
        assert "SECRETPURPOSE" not in str(house.bench.disagreements(run=made)) and house.bench.signatures(made) == []


@pytest.mark.parametrize("who", ["stranger", "viewer", "auditor"])
def test_samples_and_traces_hold_what_one_may_see(who: str, house: House) -> None:
    from assistant.ui import audit
    from assistant.ui.shell import Shell

    with house.bench.acting(who):
        drawn = {c["ask"] for c in house.bench.sample_claims(200, 1)}
        assert all(house.bench.access(ask) for ask in drawn) and bool(drawn)
    assert (whose(house, "owner").runs[0] in drawn) is (who == "viewer")
    shell: Any = Shell(house.bench, None, None, None, None, None, None)  # type: ignore[arg-type]
    told = audit.trace(shell, type("R", (), {"username": who})(), whose(house, "owner").runs[0])
    assert ("markowner" in told) is (who == "viewer") and "Hash" in told


def test_every_role_is_tried() -> None:
    assert {ROLE_OF.get(p, p) for p in PEOPLE} == set(ROLES)
