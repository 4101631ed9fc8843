"""The paths of the three users in Debian's Chromium, from first click to downloaded file; nothing leaves the origin, nothing fails.

Needs Chromium and Playwright: `make test-browser`.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]  # the first test may build the index
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-browser")

PORT = 7931
ORIGIN = f"http://127.0.0.1:{PORT}"
ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "corpus" / "cards" / "skin-lesion" / "README.md"
SHOTS = os.environ.get("PINCITE_SCREENSHOTS", "")  # a folder to keep pictures in
NO_NETWORK = ("data:", "blob:", ORIGIN)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder; PINCITE_BROWSER_HOME names one that is already built."""
    return Path(os.environ.get("PINCITE_BROWSER_HOME") or tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    """The real app on its own port; the index is built through it by the first test when there is none."""
    env = {**os.environ, "PINCITE_HOME": str(home), "PINCITE_LLM": "none", "PINCITE_USER": "ada"}
    process = subprocess.Popen([sys.executable, "-m", "assistant", "serve", "--port", str(PORT)], cwd=ROOT, env=env, stderr=subprocess.PIPE)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{ORIGIN}/health", timeout=1)
                break
            except OSError:
                assert process.poll() is None, process.stderr.read().decode() if process.stderr else ""
                time.sleep(0.2)
        yield ORIGIN
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        path = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), None)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(params=[1280, 800])
def page(server: str, browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that fails the test on a console error, a script error, or a request to anywhere else."""
    context = browser.new_context(viewport={"width": request.param, "height": 900}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(20_000)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda e: trouble.append(f"script: {e}"))
    page.on("request", lambda r: None if r.url.startswith(NO_NETWORK) else trouble.append(f"request: {r.url}"))
    page.goto(server)
    page.get_by_text("Three worked examples").wait_for()
    page.locator(".pc-cards3").wait_for()
    if page.locator("#pc-build").is_visible():
        page.get_by_role("tab", name="Ask").click()
        assert (
            page.locator("#pc-question textarea").is_disabled()
            and "no index" in (page.locator("#pc-question textarea").get_attribute("placeholder") or "").lower()
        )
        shot(page, "not-ready")
        page.get_by_role("tab", name="Start").click()
        page.locator("#pc-build").click()
        page.get_by_text("passages are ready").wait_for(timeout=900_000)
    yield page
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()
    assert trouble == []
    assert wide <= 1, f"the page is {wide} pixels wider than the screen"


def shot(page: Any, name: str) -> None:
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SHOTS}/{name}-{page.viewport_size['width']}.png")


def turn_to(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def ask(page: Any, question: str) -> None:
    turn_to(page, "Ask")
    page.locator("#pc-question textarea").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def saved(download: Any, folder: Path) -> bytes:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path.read_bytes()


def test_a_compliance_officer_asks_opens_the_provision_and_keeps_the_conversation(page: Any, tmp_path: Path) -> None:
    ask(page, "What must a data protection impact assessment contain?")
    chips = page.locator('.pc-chat a[href*="#pin-"]')
    chips.first.wait_for()
    assert "Art. 35(7)" in chips.first.inner_text()
    chips.first.click()
    page.locator(".pc-law mark").wait_for()
    assert page.url.rstrip("/") == ORIGIN and len(page.context.pages) == 1  # a chip is no link to elsewhere
    assert page.locator(".pc-law mark").inner_text().strip()
    shot(page, "ask")
    first = page.locator("#pc-viewer h2").inner_text()
    page.locator("#pc-viewer .pc-jump:not([disabled])").first.click()
    page.wait_for_function(f"document.querySelector('#pc-viewer h2').innerText !== {json.dumps(first)}")
    page.get_by_text("Earlier conversations and limits").click()
    with page.expect_download(timeout=180_000) as download:
        page.get_by_text("Download this conversation").click()
    assert b"Art. 35(7)" in saved(download.value, tmp_path)


def test_a_question_without_support_is_refused_with_what_to_add(page: Any) -> None:
    ask(page, "Which tyres may a lorry have in winter?")
    page.get_by_text("do not support an answer").wait_for()
    page.get_by_text("nearest provisions").first.wait_for()
    shot(page, "refusal")


def test_a_developer_assesses_a_card_opens_a_finding_decides_and_downloads(page: Any, tmp_path: Path) -> None:
    turn_to(page, "Gaps")
    page.locator("#pc-card-files input[type=file]").set_input_files(str(CARD))
    page.get_by_text("README.md").first.wait_for()
    page.locator("#pc-assess").click()
    page.locator(".pc-counts").wait_for()
    page.locator('#pc-findings [data-testid="cell-0-1"]').click()
    page.locator(".pc-finding h2").wait_for()
    assert page.locator(".pc-two section").count() == 2
    shot(page, "gaps")
    page.locator('#pc-matrix [data-testid="cell-0-1"]').click()  # a cell filters
    page.wait_for_function("document.querySelector('#pc-finding').innerText.includes('No finding open')")
    page.locator('#pc-findings [data-testid="cell-0-1"]').click()
    page.locator(".pc-finding h2").wait_for()
    id = page.locator(".pc-finding h2").inner_text().split(":")[0]
    page.get_by_label("Reject", exact=True).check()
    page.get_by_label("Reason (needed to edit or reject)").fill("Handled elsewhere.")
    page.get_by_role("button", name="Record the decision").click()
    page.get_by_text(f"{id}: rejected and on the record").wait_for()
    for name in ("JSON", "HTML", "XLSX", "DOCX"):
        with page.expect_download(timeout=180_000) as download:
            page.locator(".pc-downloads a", has_text=name).first.click()
        data = saved(download.value, tmp_path)
        assert len(data) > 1000
        if name == "JSON":
            report = json.loads(data)
            assert next(f for f in report["findings"] if f["requirement"] == id)["review"]["by"] == "ada"


def test_an_auditor_verifies_the_chain_traces_an_answer_and_marks_a_claim(page: Any) -> None:
    ask(page, "What must a data protection impact assessment contain?")
    page.locator('.pc-chat a[href*="#pin-"]').first.wait_for()
    turn_to(page, "Audit")
    page.locator("#pc-verify").click()
    page.get_by_text("Sound:").wait_for()
    page.locator('#pc-records [data-testid="cell-0-4"]').click()
    page.get_by_text("What search found, in order").wait_for()
    shot(page, "audit")
    page.get_by_text("Sample claims and mark them").click()
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("every quotation stands in its source").first.wait_for()
    page.get_by_label("agree", exact=True).check()
    page.get_by_role("button", name="Record the mark").click()
    page.get_by_text("Claim 1 marked").wait_for()


def test_a_card_is_read_field_by_field_and_a_fact_is_set(page: Any) -> None:
    turn_to(page, "Card")
    page.get_by_role("tabpanel").locator("input[aria-label='or a sample card']").first.click()
    page.get_by_role("option").first.click()
    page.locator("#pc-read-card").click()
    page.get_by_text("Fields of").first.wait_for()
    page.get_by_text("Facts that are known").first.wait_for()
    shot(page, "card")


def test_sources_open_a_provision_and_check_the_index(page: Any) -> None:
    turn_to(page, "Sources")
    page.get_by_text("of them official texts").wait_for()
    page.locator("#pc-address textarea, #pc-address input").first.fill("Art. 35 GDPR")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("#pc-source-viewer h2").wait_for()
    page.get_by_role("button", name="Check the index files against their hashes").click()
    page.get_by_text("Sound: every index file").wait_for()
    shot(page, "sources")


def test_a_draft_is_made_read_and_downloaded(page: Any, tmp_path: Path) -> None:
    turn_to(page, "Drafts")
    page.get_by_label("or a sample card").locator("visible=true").first.click()
    page.get_by_role("option").first.click()
    page.locator("#pc-pack input").click()
    page.get_by_role("option").nth(1).click()
    page.locator("#pc-draft").click()
    page.locator("#pc-draft-section h2").wait_for(timeout=60_000)
    page.get_by_text("This draft is machine-made").wait_for()
    page.locator("#pc-draft-section [data-pin]").first.click()
    page.locator(".pc-law mark").locator("visible=true").wait_for()
    shot(page, "drafts")
    with page.expect_download(timeout=180_000) as download:
        page.get_by_label("Download the draft").get_by_text("DOCX").click()
    assert len(saved(download.value, tmp_path)) > 10_000


def test_settings_and_start_are_readable(page: Any) -> None:
    shot(page, "start")
    turn_to(page, "Settings")
    page.get_by_text("PINCITE_HOME").first.wait_for()
    shot(page, "settings")


def test_the_keyboard_reaches_a_citation(page: Any) -> None:
    ask(page, "What must a data protection impact assessment contain?")
    page.locator(".pc-cite").first.wait_for()
    page.locator(".pc-cite").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator(".pc-law mark").wait_for()


@pytest.mark.parametrize("name", ["Start", "Ask", "Card", "Gaps", "Drafts", "Sources", "Audit", "Settings"])
def test_axe_finds_no_serious_violation(page: Any, name: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed: make test-browser")
    turn_to(page, name)
    page.wait_for_timeout(800)
    found = axe.Axe().run(page).response["violations"]
    serious = [f"{v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:4]}" for v in found if v["impact"] in ("serious", "critical")]
    assert serious == []
