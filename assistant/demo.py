"""The main job once, from nothing to a gap report; what `make demo` runs. Only calls the workbench's verbs."""

from collections.abc import Callable
from pathlib import Path

from assistant import corpus, export
from assistant.export.terminal import answer_text, gaps_table, record_line
from assistant.retrieve import Filter
from assistant.workbench import Workbench, today

QUESTIONS = (
    "What must a data protection impact assessment contain?",
    "Which data governance practices does the AI Act ask for in training data of high-risk systems?",
    "How fast must individuals be told about a breach of unsecured protected health information?",
)
FORMATS = ("html", "md", "json")


def run(bench: Workbench, out: Path, put: Callable[[str], None]) -> None:
    """Ingest, ask, assess, write `out`, and say how to open the app."""
    bench.say("1 of 3: ingesting the shipped corpus")
    report = bench.ingest()
    put(f"{report['passages']} passages ready ({report['embedded']} embedded, {report['reused']} reused, {report['seconds']} s)\n")
    bench.say("2 of 3: asking")
    for question in QUESTIONS:
        put(f"Q: {question}\n{answer_text(bench.ask(question, Filter(today())))}\n")
    card = corpus.root() / "cards" / "chest-xray-triage"
    bench.say("3 of 3: assessing the sample card")
    found = bench.gaps(card, today())
    found["audit_head"] = bench.verify_audit().head
    out.mkdir(parents=True, exist_ok=True)
    for format in FORMATS:
        (out / f"gaps.{format}").write_bytes(export.render(format, found))
    rows = list(bench.audit_tail(1 << 40))
    (out / "audit.jsonl").write_text("".join(record_line(r) + "\n" for r in rows), "utf8")
    put(gaps_table(found).rsplit("\n\n", 1)[-1])
    put(f"\nWritten: {', '.join(str(out / f'gaps.{f}') for f in FORMATS)} and {out / 'audit.jsonl'}")
    put("Open the app: make app  (then http://127.0.0.1:7860)")
