"""What changed between two versions of a text."""

from collections.abc import Callable
from pathlib import Path

from assistant import diff
from assistant.law import Instrument
from assistant.pinpoint import Pinpoint
from assistant.readers import recognise
from assistant.readers.tree import Tree


def text_of(version: str, paragraphs: dict[str, str]) -> Instrument:
    tree = Tree()
    tree.open(Pinpoint("gdpr", "art-33"), "article", 0, "Notification")
    tree.write("Article 33")
    for number, words in paragraphs.items():
        tree.open(Pinpoint("gdpr", f"art-33({number})"), "paragraph", 1, label=f"{number}.")
        tree.write(f"{number}. {words}")
    text, provisions = tree.result()
    return Instrument("gdpr", "gdpr", "", "regulation", version, "official", "original", "made-up", "x", "0" * 64, text, provisions)


def test_added_removed_and_changed_word_by_word() -> None:
    old = text_of("2020-01-01", {"1": "Notify within 72 hours.", "2": "Keep records.", "3": "Same words."})
    new = text_of("2021-01-01", {"1": "Notify within 96 hours.", "3": "Same  words.", "4": "New duty."})
    found = {(c.kind, c.pinpoint.path): c.words for c in diff.compare(old, new)}
    assert set(found) == {("changed", "art-33(1)"), ("removed", "art-33(2)"), ("added", "art-33(4)")}
    assert found["changed", "art-33(1)"] == (("same", "1. Notify within"), ("removed", "72"), ("added", "96"), ("same", "hours."))


def test_what_rests_on_a_change_is_named() -> None:
    changes = diff.compare(text_of("2020-01-01", {"1": "a b"}), text_of("2021-01-01", {"1": "a c"}))
    on = {"R1": Pinpoint("gdpr", "art-33(1)"), "R2": Pinpoint("gdpr", "art-33(2)"), "R3": Pinpoint("gdpr", "art-33"), "R4": Pinpoint("gdpr", "art-3")}
    assert diff.resting_on(changes, on) == ["R1", "R3"]


def test_the_ai_act_of_2024_against_that_of_2026(shared: Callable[[str], Path]) -> None:
    page = shared("corpus/eu-ai-act/aiact-oj-2024-en.eurlex.html").read_bytes()
    folder = shared("corpus/eu-ai-act/consolidated-2026-07-27-en-json")
    files = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.json"))]
    readers = recognise("x.html", page[:65536]), recognise(*files[0])
    assert readers[0] and readers[1]
    old, new = readers[0].read([("x.html", page)])[0], readers[1].read(files)[0]
    changes = {c.pinpoint.address: c.kind for c in diff.compare(old, new) if not c.pinpoint.path.startswith("rec-")}
    assert changes["eu-ai-act:art-4a"] == "added" and changes["eu-ai-act:art-10(5)"] == "removed" and changes["eu-ai-act:annex-xiv"] == "added"
    assert any(a.startswith("eu-ai-act:art-113") for a in changes)
    assert "eu-ai-act:art-9(1)" not in changes
