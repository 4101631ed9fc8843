"""What people say about a run is kept with one record each; a signature falls visibly when what it rests on changes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import corpus, modelbench, record
from assistant.errors import Refused, UsageError
from tests.fakes import stub_bench

DAY = "2026-11-22"
CARD = corpus.root() / "cards" / "skin-lesion"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder with GDPR's digests alone."""
    few = tuple(i for i in corpus.digest_instruments() if i.id == "gdpr")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(corpus, "digest_instruments", lambda: few)
        home = tmp_path_factory.mktemp("signoff") / "home"
        stub_bench(home).ingest()
        yield home


@pytest.fixture
def bench(shelf: Path, tmp_path: Path) -> Any:
    """A workbench of the test's own, with a copy of that folder."""
    import shutil

    shutil.copytree(shelf, tmp_path / "own")
    return stub_bench(tmp_path / "own")


def drafted(bench: Any, card: Path = CARD) -> dict[str, Any]:
    made: dict[str, Any] = bench.draft(card, "gdpr-dpia", DAY)
    return made


def accept_all(bench: Any, run: str) -> None:
    for section in bench.run(run)["sections"]:
        bench.review(run, section["id"], "accept")
    for question in bench.undecided(run):
        bench.review(run, question, "reject", "out of scope")


def actions(bench: Any) -> list[str]:
    return [r.action for r in bench.audit_tail(1 << 40)]


def test_each_thing_said_is_one_record_with_its_words_beside_the_chain(bench: Any) -> None:
    run = drafted(bench)["run"]
    before = len(actions(bench))
    bench.review(run, "1-1/0", "accept")
    bench.comment(run, "1-1", "Whose wording is this?")
    bench.comment(run, "1", "Complete it", "Ben", "2026-12-01")
    bench.signoff(run, "author")
    assert actions(bench)[before:] == ["review", "comment", "assign", "signoff"]
    rows = record.reviews(bench.home, run)
    assert [(r.kind, r.target, r.user) for r in rows] == [
        ("decision", "1-1/0", "ann"), ("comment", "1-1", "ann"), ("task", "1", "ann"), ("signature", "", "ann"),
    ]  # fmt: skip
    chain = {r.id: r for r in bench.audit_tail(1 << 40)}
    from assistant.workbench import sha256

    assert all(chain[r.id].body["content"] == sha256(r.content) and chain[r.id].time == r.time for r in rows)
    assert "Whose wording" not in " ".join(record.export_line(r) for r in chain.values())
    assert bench.verify_audit().sound


def test_a_run_shows_what_was_said(bench: Any) -> None:
    made = drafted(bench)
    run = made["run"]
    words = made["sections"][1]["elements"][0]["sentences"][0]["text"]
    bench.review(run, "1", "accept")
    found = bench.review(run, "1-1/0", "edit", "clearer", "Say what is processed within 72 hours.")
    assert "the number 72 stands in none of the sources cited here" in found["problems"]
    bench.comment(run, "1-1/0", "Which 72 hours?", "Ben")
    back = bench.run(run)
    first, second = back["sections"][1]["elements"][0]["sentences"][:2]
    assert (first["review"]["decision"], first["review"]["machine"], first["review"]["edited"]) == ("edit", words, "Say what is processed within 72 hours.")
    assert (second["review"]["decision"], second["review"]["on"]) == ("accept", "1")
    assert first["text"] == words, "the machine's words stay"
    assert back["remarks"][0]["owner"] == "Ben"
    assert "1-1/0" not in bench.undecided(run) and "2-1/0" in bench.undecided(run)


@pytest.mark.parametrize(
    ("target", "text", "owner", "due", "message"),
    [
        ("9-9", "x", "", "", "no '9-9'"),
        ("1", " ", "", "", "needs words"),
        ("1", "x", "", "2026-12-01", "needs an owner"),
        ("1", "x", "Ben", "soon", "no date"),
    ],
)
def test_an_unsound_comment_is_refused_and_not_recorded(bench: Any, target: str, text: str, owner: str, due: str, message: str) -> None:
    run = drafted(bench)["run"]
    before = actions(bench)
    with pytest.raises(UsageError, match=message):
        bench.comment(run, target, text, owner, due)
    assert actions(bench) == before


def test_a_finding_is_decided_discussed_and_signed_like_a_draft(bench: Any) -> None:
    made = bench.gaps(CARD, DAY, ("gdpr",))
    run, finding = made["run"], made["findings"][0]["requirement"]
    bench.review(run, finding, "reject", "another department's")
    bench.comment(run, finding, "Ask them", "Ben", "2026-12-01")
    back = bench.run(run)
    assert back["findings"][0]["review"]["decision"] == "reject" and back["remarks"][0]["target"] == finding
    assert bench.signoff(run, "reviewer")["by"] == "ann"
    assert [s["void"] for s in bench.run(run)["signatures"]] == [[]]


def test_an_approver_of_what_rests_on_digests_says_so_on_record(bench: Any) -> None:
    run = drafted(bench)["run"]
    accept_all(bench, run)
    with pytest.raises(Refused, match="rest on official text"):
        bench.signoff(run, "approver")
    bench.signoff(run, "approver", acknowledged=True)
    last = next(iter(bench.audit_tail(1)))
    assert last.body["acknowledged"] is True and last.body["meaning"] == "approver"
    assert bench.signatures(run)[0]["acknowledged"]


def test_an_approver_waits_for_every_decision(bench: Any) -> None:
    run = drafted(bench)["run"]
    with pytest.raises(Refused, match="undecided"):
        bench.signoff(run, "approver", acknowledged=True)


def copied(to: Path, old: str = "", new: str = "") -> Path:
    """The sample card in a folder of its own, with a word changed."""
    to.mkdir(exist_ok=True)
    for file in CARD.iterdir():
        text = file.read_text("utf8")
        assert not old or file.name != "README.md" or old in text
        (to / file.name).write_text(text.replace(old, new) if old else text, "utf8")
    return to


def signed(bench: Any, card: Path = CARD) -> str:
    run = str(drafted(bench, card)["run"])
    bench.signoff(run, "author")
    assert bench.signatures(run)[0]["void"] == []
    return run


def test_a_later_decision_voids_a_signature(bench: Any) -> None:
    run = signed(bench)
    bench.comment(run, "1-1", "a comment changes nothing")
    assert bench.signatures(run)[0]["void"] == []
    bench.review(run, "1-1/0", "accept")
    assert bench.signatures(run)[0]["void"] == ["the text or a decision has changed since ann signed"]


def test_a_changed_card_voids_a_signature(bench: Any, tmp_path: Path) -> None:
    card = copied(tmp_path / "card")
    run = signed(bench, card)
    text = (card / "README.md").read_text("utf8")
    (card / "README.md").write_text(text + "\nOne more word.\n", "utf8")
    assert bench.signatures(run, card)[0]["void"] == ["the card has changed since ann signed"]
    assert bench.signatures(run)[0]["void"] == []
    bench.draft(card, "gdpr-dpia", DAY)
    assert bench.signatures(run)[0]["void"] == ["the card has changed since ann signed"]
    with pytest.raises(Refused, match="has changed"):
        bench.signoff(run, "author")


def test_a_changed_catalogue_voids_a_signature(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = signed(bench)
    monkeypatch.setattr(corpus, "catalogue_digest", lambda: "f" * 64)
    assert bench.signatures(run)[0]["void"] == ["the catalogue of requirements and packs has changed since ann signed"]


def test_changed_law_voids_a_signature_by_name_and_other_law_does_not(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = signed(bench)
    find = type(bench.library).find

    def moved(self: Any, p: Any, *rest: Any) -> Any:
        from dataclasses import replace

        found = find(self, p, *rest)
        return replace(found, status="superseded") if found and p.address == "gdpr:art-35(7)(a)" else found

    monkeypatch.setattr(type(bench.library), "find", moved)
    void = bench.signatures(run)[0]["void"]
    assert len(void) == 1 and "the law in the library (" in void[0] and "35(7)(a)" in void[0]
    monkeypatch.undo()
    (bench.home / "note.txt").write_text("A hospital's own rule: screens are locked after five minutes.", "utf8")
    bench.ingest([bench.home / "note.txt"], instrument="hospital-policy")
    assert bench.signatures(run)[0]["void"] == []


def test_drafts_that_disagree_are_shown_with_both_places(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from assistant import cli

    old = copied(tmp_path / "card")
    first = bench.draft(old, "gdpr-dpia", DAY)
    assert bench.disagreements(old) == [] == bench.disagreements(run=first["run"])
    new = copied(tmp_path / "card", "worried about a skin lesion", "worried about a dog's skin lesion")
    second = bench.draft(new, "eu-ai-act-annex-iv", DAY)
    rows = bench.disagreements(new)
    assert rows and rows == bench.disagreements(run=second["run"])
    assert any(r["field"] == "intended_purpose" and r["one"].startswith("draft gdpr-dpia") and "README.md" in r["other"] for r in rows)
    monkeypatch.setattr(cli.people, "bench", lambda: bench)
    with pytest.raises(SystemExit) as left:
        cli.main(["review", "agreement", str(new)])
    assert left.value.code == 1 and f"{len(rows)} disagreements" in capsys.readouterr().out


def test_runs_are_listed_newest_first(bench: Any) -> None:
    first, second = bench.gaps(CARD, DAY, ("gdpr",))["run"], drafted(bench)["run"]
    rows = bench.runs()
    assert [(r["id"], r["kind"], r["owner"], r["pack"]) for r in rows] == [(second, "draft", "ann", "gdpr-dpia"), (first, "gaps", "ann", "")]
    assert rows[0]["about"] == bench.run(second)["card"]["name"]
    assert [r["id"] for r in bench.runs("gaps")] == [first] and len(bench.runs(most=1)) == 1
    with pytest.raises(UsageError, match="no kind"):
        bench.runs("card")


def test_a_draft_leaves_as_a_file_with_what_was_said_and_one_record(bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    from docx import Document

    from assistant import cli

    monkeypatch.setattr(cli.cards, "bench", lambda: bench)
    monkeypatch.setattr(cli.people, "bench", lambda: bench)
    house = Document()
    house.sections[0].header.paragraphs[0].text = "House of Examples"
    house.save(str(tmp_path / "house.docx"))
    args = ["draft", str(CARD), "--pack", "fda-pccp", "--pack", "fda-device-software", "-o", str(tmp_path / "out"), "--format", "folder", "--format", "json"]
    with pytest.raises(SystemExit) as left:
        cli.main([*args, "--format", "docx", "--template", str(tmp_path / "house.docx")])
    assert left.value.code == 0
    names = sorted(p.name for p in (tmp_path / "out" / "submission").iterdir())
    assert names[0] == "00-paste-map.md" and names[1].startswith("01-documentation-level") and names[-1].startswith("14-")
    assert Document(str(tmp_path / "out" / "fda-pccp.docx")).sections[0].header.paragraphs[0].text == "House of Examples"
    made = json.loads((tmp_path / "out" / "fda-pccp.json").read_text("utf8"))
    assert made["mark"].startswith("Machine-made") and len(made["audit_head"]) == 64 and made["disagreements"] == []
    exports = [r.body for r in bench.audit_tail(1 << 40) if r.action == "export"]
    assert [(e["run"], e["format"]) for e in exports if e["run"] == made["run"]] == [(made["run"], f) for f in ("folder", "json", "docx")]
    bench.review(made["run"], "d1/0", "accept")
    with pytest.raises(SystemExit):
        cli.main(["runs", "export", made["run"], "-o", str(tmp_path / "signed.md")])
    assert "Accepted by ann" in (tmp_path / "signed.md").read_text("utf8")
    with pytest.raises(UsageError, match="no part of an FDA submission"):
        bench.render_folder([drafted(bench)["run"]])


def test_erasing_a_run_erases_what_was_said_of_it(bench: Any) -> None:
    run = drafted(bench)["run"]
    bench.comment(run, "1", "unmistakable words")
    bench.erase(run)
    assert record.reviews(bench.home, run) == [] and b"unmistakable" not in (bench.home / "record.sqlite").read_bytes()
    assert bench.verify_audit().sound


def test_the_commands_decide_assign_sign_and_show(bench: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from assistant import cli

    monkeypatch.setattr(cli.people, "bench", lambda: bench)
    run = drafted(bench)["run"]

    def pincite(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(args)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    assert run in pincite("runs", "list")[1]
    assert pincite("review", "accept", run, "1", "2-1/0", "--by", "ben")[0] == 0
    code, _, err = pincite("review", "edit", run, "1-1/0", "--words", "Say it in 72 hours.", "--reason", "clearer", "--by", "ben")
    assert code == 1 and "the number 72" in err
    assert pincite("review", "reject", run, "2")[0] == 2, "a rejection needs its reason"
    assert pincite("review", "comment", run, "2", "whose?", "--by", "cy")[0] == 0
    assert pincite("review", "assign", run, "2", "--owner", "dee", "--due", "2026-12-01", "--text", "fill it")[0] == 0
    shown = pincite("review", "show", run, "1-1/0")[1]
    assert "Edited by ben" in shown and "Say it in 72 hours." in shown and "Check: the number 72" in shown
    listed = pincite("review", "list", run)[1]
    assert "accepted  2-1/0" in listed and "task      2" in listed and "dee, by 2026-12-01: fill it" in listed
    assert pincite("signoff", "sign", run, "--as", "approver", "--by", "eve")[0] == 4
    assert "signed by eve as author" in pincite("signoff", "sign", run, "--as", "author", "--by", "eve")[1]
    assert pincite("signoff", "show", run)[0] == 0
    assert pincite("review", "accept", run, "3")[0] == 0
    code, out, _ = pincite("signoff", "show", run)
    assert code == 1 and "VOID   eve as author" in out and "a decision has changed" in out
    assert pincite("runs", "show", run)[1].endswith("1 signatures\n")
    users = {r.body["decision"]: r.user for r in bench.audit_tail(1 << 40) if r.action == "review"}
    assert users == {"accept": "ann", "edit": "ben"}


def test_a_draft_is_phrased_only_by_a_model_whose_role_is_open(bench: Any) -> None:
    import json

    from tests.fakes import ScriptedModel

    def echo(messages: Any, schema: Any) -> dict[str, Any]:
        """The first quotation that the model is shown, said again."""
        shown = messages[-1][1].split("\nA:\n", 1)[1].splitlines()
        return {"claims": [{"key": "A", "text": shown[1].split(". ")[0].rstrip(".") + "."}]}

    bench.__dict__["model"] = ScriptedModel(forever=echo)
    made = drafted(bench)
    mine = [x for s in made["sections"] for e in s["elements"] for x in e["sentences"] if x.get("phrased_by") == "model"]
    assert mine and {x["kind"] for x in mine} == {"law"} and made["model"]["name"] == "scripted"
    assert next(r for r in bench.audit_tail(9) if r.action == "draft").body["model"] == made["model"]
    assert bench.draft(CARD, "gdpr-dpia", DAY, mode="extractive")["model"] is None
    card = {"suite": modelbench.SUITE, "sha256": "0" * 64, "name": "scripted", "roles": {"phrasing": False, "rewriting": False, "lowering": False}}
    (bench.home / "models").mkdir()
    (bench.home / "models" / "scripted.json").write_text(json.dumps(card), "utf8")
    assert drafted(bench)["model"] is None
