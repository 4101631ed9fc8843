"""How soon the app answers a person: seconds until the first page can be used, milliseconds until a click shows anything.

Needs Chromium and Playwright (`make test-browser` sets both up). The server is the real one with the embedded model, in a
process of its own; every visible button of every page is pressed, with an answer, an assessment and a draft on the pages.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES = ("Start", "Ask", "Card", "Gaps", "Drafts", "Sources", "Audit", "Settings")
ALIKE = 3  # buttons of one kind, such as citations, that are pressed on a page
# A sign is something that can be seen: text that changes, a part that comes or goes, a button that is closed or busy.
SIGN = """(button) => new Promise((done) => {
  const begun = performance.now();
  const seen = (node) => {
    const e = node.nodeType === 1 ? node : node.parentElement;
    return e && e.checkVisibility({opacityProperty: true, visibilityProperty: true});
  };
  const watch = new MutationObserver((changes) => {
    if (!changes.some((c) => seen(c.target) && (c.type !== 'attributes' || ['disabled', 'value', 'aria-busy', 'aria-selected', 'open'].includes(c.attributeName)))) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - begun));
  });
  watch.observe(document.documentElement, {subtree: true, childList: true, characterData: true, attributes: true});
  setTimeout(() => { watch.disconnect(); done(null); }, 4000);
  button.click();
})"""
QUIET = """() => new Promise((done) => {
  let last = performance.now();
  const watch = new MutationObserver(() => { last = performance.now(); });
  watch.observe(document.documentElement, {subtree: true, childList: true, characterData: true});
  const begun = last, look = setInterval(() => {
    if (performance.now() - last < 600 && performance.now() - begun < 6000) return;
    clearInterval(look); watch.disconnect(); done();
  }, 50);
})"""


@contextmanager
def serving(home: Path, port: int) -> Iterator[float]:
    """The app; the moment at which it said that it is open."""
    env = {**os.environ, "PINCITE_HOME": str(home), "PINCITE_OFFLINE": "1"}
    process = subprocess.Popen([sys.executable, "-m", "assistant", "serve", "--port", str(port)], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    try:
        for line in process.stderr:
            if "is open at" in line:
                break
        yield time.perf_counter()
    finally:
        process.terminate()
        process.wait(20)


def usable(page: Any) -> None:
    """Waits until the first page tells what is here and its examples can be pressed."""
    page.locator(".pc-cards3").wait_for()
    page.get_by_role("button", name="Assess a sample model card").wait_for()


def furnish(page: Any) -> None:
    """An answer, an assessment with a finding open, a card and a draft, so that the buttons which go with them are there."""
    page.get_by_role("button", name="Ask: “").click()
    page.locator("#pc-viewer .pc-law mark").first.wait_for()
    for name, button, there in (
        ("Card", "#pc-read-card", "text=Fields of"),
        ("Gaps", "#pc-assess", ".pc-counts"),
        ("Drafts", "#pc-draft", "#pc-draft-section h2"),
    ):
        page.get_by_role("tab", name=name, exact=True).click()
        page.get_by_label("or a sample card").locator("visible=true").click()
        page.get_by_role("option").locator("visible=true").first.click()
        if name == "Drafts":
            page.locator("#pc-pack input").click()
            page.get_by_role("option").nth(1).click()
        page.locator(button).click()
        page.locator(there).first.wait_for()
        if name == "Gaps":
            page.locator('#pc-findings [data-testid="cell-0-1"]').click()
            page.locator(".pc-finding h2").first.wait_for()


def named(button: Any) -> str:
    """What a button is called on the page."""
    return " ".join((button.get_attribute("aria-label") or button.inner_text()).split())[:60]


def pressed(page: Any, name: str) -> Iterator[tuple[str, float | None]]:
    """Each visible button of a page: its name, and the milliseconds until a sign; None where nothing changed within four seconds."""
    page.get_by_role("tab", name=name, exact=True).click()
    page.evaluate(QUIET)
    for summary in page.locator(".label-wrap:not(.open)").all():
        if summary.is_visible():
            summary.click()
    page.evaluate(QUIET)
    alike: dict[str, int] = {}
    for button in page.locator('[role="tabpanel"] button:visible, [role="tab"]:visible').element_handles():
        if not button.is_visible() or not button.is_enabled():
            continue
        kind = button.get_attribute("class") or ""
        kind = kind if kind.startswith("pc-") else named(button)
        alike[kind] = alike.get(kind, 0) + 1
        if alike[kind] <= ALIKE:
            called = named(button)
            took = page.evaluate(SIGN, button)
            sys.stderr.write(f"{name}: {called}: {took} ms\n")
            yield f"{name}: {called}", took
            page.evaluate(QUIET)
            if button.get_attribute("role") == "tab":
                page.get_by_role("tab", name=name, exact=True).click()
                page.evaluate(QUIET)


def app(home: Path, starts: int = 3) -> dict[str, Any]:
    """The figures. The data folder has an index."""
    from playwright.sync_api import sync_playwright

    first: list[float] = []
    signs: dict[str, float | None] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("PINCITE_CHROMIUM") or None, args=["--no-sandbox"])
        for n in range(starts):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(60_000)
            with serving(home, 7900 + n) as begun:
                page.goto(f"http://127.0.0.1:{7900 + n}")
                usable(page)
                first.append(round(time.perf_counter() - begun, 2))
                sys.stderr.write(f"first page usable after {first[-1]} s\n")
                if n == starts - 1:
                    furnish(page)
                    for name in PAGES:
                        signs.update(pressed(page, name))
            page.close()
        browser.close()
    each = sorted(ms for ms in signs.values() if ms is not None)
    slow = {name: round(ms) for name, ms in signs.items() if ms is not None and ms > 200}
    return {
        "first_page_s": first, "buttons": len(signs), "sign_ms": {"p50": round(statistics.median(each)), "p95": round(each[int(0.95 * len(each))]), "most": round(each[-1])},
        "over_200_ms": slow, "no_change": [name for name, ms in signs.items() if ms is None],
    }  # fmt: skip
