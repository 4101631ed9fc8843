"""Commands on what people do: runs, review, signoff, users."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.base import Card, JsonFlag, bench, put, put_json, say, write
from assistant.errors import UsageError
from assistant.export.terminal import answer_text, disagreement_lines, gaps_table, review_lines, review_text, run_lines, signature_lines

app = typer.Typer()
runs_app = typer.Typer(no_args_is_help=True, help="Earlier answers, gap analyses and drafts: list, show, erase.")
review_app = typer.Typer(no_args_is_help=True, help="Decide on findings and drafts: list, show, accept, edit, reject, comment, assign.")
signoff_app = typer.Typer(no_args_is_help=True, help="Sign a gap analysis or draft, and see which signatures stand.")
users_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the app.")
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who decides (default: PINCITE_USER, else the login name).")]
Targets = Annotated[list[str], typer.Argument(metavar="TARGET...", help="Findings, sentences, elements, sections or frameworks; see: review list RUN")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT")]
app.add_typer(runs_app, name="runs")
app.add_typer(review_app, name="review")
app.add_typer(signoff_app, name="signoff")
app.add_typer(users_app, name="users")


@runs_app.command("list")
def runs_list(
    kind: Annotated[str, typer.Option(help="ask, gaps or draft")] = "", n: Annotated[int, typer.Option("-n", min=1)] = 50, as_json: JsonFlag = False
) -> None:
    """The newest runs, newest first."""
    rows = bench().runs(kind, n)
    put_json(rows) if as_json else put(run_lines(rows))


@runs_app.command("erase")
def runs_erase(run: Annotated[str, typer.Argument(help="A run, or card- and the hash of a card.")]) -> None:
    """Erase the words of a run, a conversation with its answers, or a card; their audit records stay."""
    put("\n".join(f"erased {id}" for id in bench().erase(run)))


@runs_app.command("show")
def runs_show(run: str, as_json: JsonFlag = False) -> None:
    """What a run gave, with what people said of it."""
    w = bench()
    found = w.run(run)
    if as_json:
        put_json(found)
    elif found["kind"] == "ask":
        put(answer_text(found))
    elif found["kind"] == "gaps":
        put(gaps_table(found))
    elif found["kind"] == "draft":
        put(review_lines(found, w.review_rows(run)))
    else:
        raise UsageError(f"'{run}' is no answer, gap analysis or draft", "See what there is: pincite runs list")


@runs_app.command("export")
def runs_export(
    run: str,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Its ending is the format: docx, md, pdf, json, xlsx.")],
    clauses: Annotated[bool, typer.Option(help="Show clause references, for an auditor")] = True,
    template: Annotated[Path | None, typer.Option(metavar="FILE.docx", help="A house template for DOCX")] = None,
) -> None:
    """A draft as it stands after review, with its signatures, as a file."""
    write(out, bench().render_draft(run, out.suffix.lstrip("."), clauses, template))
    put(str(out))


@review_app.command("list")
def review_list(run: str, open_only: Annotated[bool, typer.Option("--open", help="Only what nobody has decided.")] = False, as_json: JsonFlag = False) -> None:
    """Every finding or sentence of a run with its decision."""
    w = bench()
    rows = [r for r in w.review_rows(run) if not (open_only and r["decision"])]
    put_json(rows) if as_json else put(review_lines(w.run(run), rows))


@review_app.command("show")
def review_show(run: str, target: str, as_json: JsonFlag = False) -> None:
    """One finding or sentence: the machine's words, the person's, and the remarks."""
    w = bench()
    row = next((r for r in w.review_rows(run) if r["target"] == target), None)
    if row is None:
        raise UsageError(f"There is no '{target}' in this run", f"See its targets: pincite review list {run}")
    put_json({**row, "remarks": [r for r in w.remarks(run) if r["target"] == target]}) if as_json else put(review_text(row, w.run(run)))


@review_app.command("accept")
def review_accept(run: str, targets: Targets, reason: Reason = "", by: By = "") -> None:
    """Accept findings, sentences, or whole sections."""
    _decide(run, targets, "accept", reason, "", by)


@review_app.command("reject")
def review_reject(run: str, targets: Targets, reason: Reason, by: By = "") -> None:
    """Reject findings, sentences, or whole sections, with the reason."""
    _decide(run, targets, "reject", reason, "", by)


@review_app.command("edit")
def review_edit(run: str, target: str, words: Annotated[str, typer.Option("--words", metavar="TEXT")], reason: Reason, by: By = "") -> None:
    """Replace a sentence's or finding's words; they are checked against its sources, and both wordings are kept. Exit 1 when the check fails."""
    raise typer.Exit(1 if _decide(run, [target], "edit", reason, words, by) else 0)


def _decide(run: str, targets: Sequence[str], decision: str, reason: str, words: str, by: str) -> list[str]:
    w = bench()
    problems: list[str] = []
    with w.acting(by):
        for target in targets:
            found = w.review(run, target, decision, reason, words)
            put(f"{target}: {decision}, recorded as {found['audit']}")
            problems += found["problems"]
    for problem in problems:
        say(f"check failed: {problem}")
    return problems


@review_app.command("comment")
def review_comment(run: str, target: str, text: str, by: By = "") -> None:
    """Remark on a finding, sentence, element or section."""
    w = bench()
    with w.acting(by):
        put(w.comment(run, target, text))


@review_app.command("assign")
def review_assign(
    run: str,
    target: str,
    owner: Annotated[str, typer.Option(metavar="NAME")],
    due: Annotated[str, typer.Option(metavar="YYYY-MM-DD")] = "",
    text: Annotated[str, typer.Option(metavar="TEXT", help="What is to be done.")] = "",
    by: By = "",
) -> None:
    """Give a finding, sentence, element or section to an owner, with a due date."""
    w = bench()
    with w.acting(by):
        put(w.comment(run, target, text, owner, due))


@review_app.command("agreement")
def review_agreement(card: Card, as_json: JsonFlag = False) -> None:
    """Whether the newest drafts of a card, one a pack, agree with each other and with the card; exit 1 when they do not."""
    rows = bench().disagreements(card)
    put_json(rows) if as_json else put(disagreement_lines(rows))
    raise typer.Exit(1 if rows else 0)


@signoff_app.command("sign")
def signoff_sign(
    run: str,
    meaning: Annotated[str, typer.Option("--as", help="author, reviewer or approver")],
    digests: Annotated[
        bool, typer.Option("--acknowledge-digests", help="As approver: I have seen how many citations rest on summaries, not the law's words.")
    ] = False,
    by: By = "",
    as_json: JsonFlag = False,
) -> None:
    """Sign a run; the signature is bound to its text, decisions, card, law and catalogue."""
    w = bench()
    with w.acting(by):
        found = w.signoff(run, meaning, digests)
    put_json(found) if as_json else put(
        f"signed by {found['by']} as {meaning}, recorded as {found['audit']}; {found['official']} citations rest on official text"
    )


@signoff_app.command("show")
def signoff_show(run: str, card: Annotated[Path | None, typer.Option(metavar="CARD", help="The card as it is now.")] = None, as_json: JsonFlag = False) -> None:
    """The signatures on a run, and why one no longer stands; exit 1 when one is void."""
    rows = bench().signatures(run, card)
    put_json(rows) if as_json else put(signature_lines(rows))
    raise typer.Exit(1 if any(r["void"] for r in rows) else 0)


@users_app.command("list")
def users_list(as_json: JsonFlag = False) -> None:
    """Who may sign in to the app, with their roles."""
    rows = bench().users()
    put_json(rows) if as_json else put("\n".join(f"{u['name']:24} {u['role']}" for u in rows) or "Nobody: the app is open to its one local user.")


@users_app.command("add")
def users_add(name: str, role: Annotated[str, typer.Option(help="compliance, developer, reviewer, auditor or admin")] = "compliance") -> None:
    """Add a user, or change a role and password; the password is asked for."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    bench().keep_user(name, role, password)
    put(f"{name}: {role}")


@users_app.command("remove")
def users_remove(name: str) -> None:
    """Take a user away; their records stay."""
    bench().remove_user(name)
    put(f"{name} removed")
