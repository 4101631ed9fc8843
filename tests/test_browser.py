"""The paths of the three users in Chromium, from first click to downloaded file; nothing leaves the origin, nothing fails, everyone can read it.

Needs Chromium and Playwright: `make test-browser`. PINCITE_SCREENSHOTS names a folder to keep pictures of every page in.
"""

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]  # the first test builds the index
sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make test-browser")

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "corpus" / "cards" / "skin-lesion" / "README.md"
SHOTS = os.environ.get("PINCITE_SCREENSHOTS", "")
DPIA = "What must a data protection impact assessment contain?"
PAGES = ("Start", "Ask", "Card", "Gaps", "Drafts", "Sources", "Audit", "Settings")
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder; PINCITE_BROWSER_HOME names one that is already built."""
    return Path(os.environ.get("PINCITE_BROWSER_HOME") or tmp_path_factory.mktemp("home"))


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The real app on a port that was free: what an earlier run left behind cannot answer for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {**os.environ, "PINCITE_HOME": str(home), "PINCITE_LLM": "none", "PINCITE_USER": "ada"}
    with open(home / "server.log", "w") as log:
        process = subprocess.Popen([sys.executable, "-m", "assistant", "serve", "--port", str(port)], cwd=ROOT, env=env, stderr=log)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1)
                    break
                except OSError:
                    assert process.poll() is None, (home / "server.log").read_text()
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    with serving(home) as origin:
        yield origin


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("PINCITE_CHROMIUM") or None, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, origin: str, width: int = 1280, scheme: str = "light", path: str = "") -> Iterator[Any]:
    """A page that fails the test on a console error, a script error, a request to anywhere else, or a page wider than the screen."""
    context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(30_000)
    trouble: list[str] = []
    page.on("console", lambda m: trouble.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda e: trouble.append(f"script: {e}"))
    page.on("request", lambda r: None if r.url.startswith(("data:", "blob:", origin)) else trouble.append(f"request: {r.url}"))
    page.goto(origin + path)
    yield page
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    context.close()
    assert trouble == []
    assert wide <= 1, f"the page is {wide} pixels wider than the screen"


def ready(page: Any) -> None:
    page.get_by_text("Three worked examples").wait_for()
    page.locator(".pc-cards3").wait_for()


@pytest.fixture(scope="module")
def built(server: str, browser: Any) -> str:
    """The app with its index; where there is none yet, the chat is closed with the reason and the index is built by a click."""
    with opened(browser, server) as page:
        ready(page)
        if page.locator("#pc-build").is_visible():
            turn_to(page, "Ask")
            box = page.locator("#pc-question textarea")
            assert box.is_disabled() and "no index" in (box.get_attribute("placeholder") or "").lower()
            shot(page, "not-ready")
            turn_to(page, "Start")
            page.locator("#pc-build").click()
            page.get_by_text("passages are ready").wait_for(timeout=600_000)
    return server


@pytest.fixture
def page(built: str, browser: Any) -> Iterator[Any]:
    with opened(browser, built) as page:
        ready(page)
        yield page


def shot(page: Any, name: str, top: bool = True) -> None:
    """A picture of the page, of at most 150 KB."""
    if not SHOTS:
        return
    from PIL import Image

    Path(SHOTS).mkdir(parents=True, exist_ok=True)
    if top:
        page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(400)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for colours in (128, 64, 32, 16):
        image.quantize(colours).save(f"{SHOTS}/{name}.png", optimize=True)
        if os.path.getsize(f"{SHOTS}/{name}.png") < 150_000:
            return


def turn_to(page: Any, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def ask(page: Any, question: str) -> None:
    turn_to(page, "Ask")
    page.locator("#pc-question textarea").fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def sample(page: Any) -> None:
    page.get_by_label("or a sample card").locator("visible=true").first.click()
    page.get_by_role("option").first.click()


def saved(page: Any, press: Callable[[], Any]) -> tuple[str, bytes]:
    """What a click downloads; the page says at once that it is being made."""
    with page.expect_download(timeout=180_000) as download:
        press()
        page.locator(".pc-downloads [role=status]").locator("visible=true").first.wait_for(timeout=2000)
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_a_compliance_officer_from_a_question_to_the_sheet_for_the_meeting(page: Any, built: str) -> None:
    page.locator("#pc-as-of input, #pc-as-of textarea").first.fill("2026-11-20")
    page.locator("#pc-project input").fill(f"Chest X-ray triage {time.time():.0f}")
    page.keyboard.press("Enter")
    ask(page, "Do we need a DPIA for a chest X-ray triage model?")
    chips = page.locator('.pc-chat a[href*="#pin-"]')
    chips.first.wait_for()
    assert page.get_by_text("As of 20 November 2026").count() and page.get_by_text("What to know about this answer").count()
    chips.nth(1).click()
    page.locator("#pc-viewer .pc-law mark").first.wait_for()
    assert page.url.rstrip("/") == built and len(page.context.pages) == 1  # a chip is no link to elsewhere
    page.locator("#pc-pin").click()
    page.get_by_text("is pinned to the project").wait_for()
    page.get_by_text("Pinned evidence of the project").click()
    page.get_by_role("button", name="Take out").wait_for()
    shot(page, "ask")
    name, data = saved(page, lambda: page.get_by_text("Download the pinned evidence").click())
    assert name.endswith(".md") and b"pinned evidence" in data
    turn_to(page, "Gaps")
    sample(page)
    page.locator("#pc-assess").click()
    page.locator(".pc-counts").wait_for()
    page.locator('#pc-matrix [data-testid="cell-0-1"]').click()  # a cell filters
    page.locator('#pc-findings [data-testid="cell-0-1"]').click()
    page.locator(".pc-finding h2").first.wait_for()
    assert page.locator(".pc-two section").count() == 2
    id = page.locator(".pc-finding h2").first.inner_text().split(":")[0]
    page.get_by_label("Edit", exact=True).locator("visible=true").check()
    page.get_by_label("Reason (needed to edit or reject)").locator("visible=true").fill("The annex has it.")
    page.get_by_label("New wording (to edit)").fill("The annex of the card states it; the card should point there.")
    page.get_by_role("button", name="Record the decision", exact=True).click()
    page.get_by_text(f"{id}: edited and on the record").wait_for()
    page.get_by_label("Remark, or what is to be done").locator("visible=true").fill("Point to the annex")
    page.get_by_label("Owner (makes it a task)").locator("visible=true").fill("bob")
    page.get_by_role("button", name="Keep the remark or task").locator("visible=true").click()
    page.get_by_text("assigned to bob").wait_for()
    shot(page, "gaps-finding", top=False)
    name, data = saved(page, lambda: page.locator("#pc-gap-top a", has_text="XLSX").click())
    assert name.endswith(".xlsx") and zipfile.is_zipfile(io.BytesIO(data))
    page.locator("#pc-assess").click()  # next week
    page.get_by_text("Held against the earlier assessment; nothing has changed").wait_for()
    page.get_by_role("button", name="Stand by 1 earlier decision").click()
    page.get_by_text("1 decision stands again").wait_for()
    shot(page, "gaps")
    page.locator("#pc-recheck").click()  # the card as it was kept, the law as it is
    page.get_by_role("button", name="Stand by 1 earlier decision").wait_for()
    turn_to(page, "Start")
    page.get_by_text("Projects", exact=True).click()
    page.locator("#pc-projects").get_by_text("1 pinned passages, 4 runs").wait_for()
    assert page.locator("body.pc-working").count() == 0  # nothing says that it works when nothing does


def test_a_developer_from_a_card_to_a_signed_draft(page: Any) -> None:
    turn_to(page, "Card")
    sample(page)
    page.locator("#pc-read-card").click()
    page.get_by_text("Fields of").first.wait_for()
    page.get_by_text("Facts that are known").first.wait_for()
    shot(page, "card")
    turn_to(page, "Gaps")
    page.locator("#pc-card-files input[type=file]").set_input_files(str(CARD))
    page.locator("#pc-card-files").get_by_text("README").first.wait_for()
    page.locator("#pc-assess").click()
    page.locator(".pc-counts").wait_for()
    for kind in ("SARIF", "JSON"):
        name, data = saved(page, lambda kind=kind: page.locator("#pc-gap-top a", has_text=kind).click())
        assert json.loads(data)
    turn_to(page, "Drafts")
    sample(page)
    page.locator("#pc-pack input").click()
    page.get_by_role("option").nth(1).click()
    page.locator("#pc-draft").click()
    page.locator("#pc-draft-section h2").wait_for()
    page.locator("#pc-question-jump input").click()
    page.get_by_role("option").first.click()
    page.locator("#pc-draft-decision").get_by_label("Edit").check()
    page.locator("#pc-draft-words textarea").fill("It is for triage of images.")
    page.get_by_label("Reason (needed to edit or reject)").locator("visible=true").fill("The clinic told us.")
    page.get_by_role("button", name="Record the decision on the sentence").click()
    page.get_by_text("edited and on the record").wait_for()
    page.locator("#pc-draft-section [data-pin^=law]").first.click()
    page.locator(".pc-law mark").locator("visible=true").first.wait_for()
    shot(page, "drafts")
    page.get_by_text("Sign", exact=True).click()
    page.get_by_label("as author").check()
    page.get_by_role("button", name="Sign the draft").click()
    page.get_by_text("Signed by ada").wait_for()
    name, data = saved(page, lambda: page.get_by_label("Download the draft").get_by_text("DOCX").click())
    assert name.endswith(".docx") and len(data) > 10_000


def test_an_auditor_from_the_chain_to_a_bundle_and_a_marked_sample(page: Any, tmp_path: Path) -> None:
    ask(page, DPIA)
    page.locator('.pc-chat a[href*="#pin-"]').first.wait_for()
    turn_to(page, "Audit")
    page.locator("#pc-verify").click()
    page.get_by_text("Sound:").wait_for()
    page.get_by_role("combobox", name="Action").click()
    page.get_by_role("option", name="ask", exact=True).click()
    page.wait_for_timeout(600)
    page.locator('#pc-records [data-testid="cell-0-4"]').click()
    page.get_by_text("What search found, in order").wait_for()
    shot(page, "audit")
    name, data = saved(page, lambda: page.get_by_text("Evidence bundle", exact=True).click())
    (tmp_path / name).write_bytes(data)
    page.get_by_text("Check an evidence bundle").click()
    page.locator("#pc-bundle input[type=file]").set_input_files(str(tmp_path / name))
    page.locator("#pc-bundle").get_by_text("pincite").first.wait_for()
    page.get_by_role("button", name="Check the bundle").click()
    page.get_by_text("quotations found again in the included sources").wait_for()
    page.get_by_text("Sample claims and mark them").click()
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("every quotation stands in its source").first.wait_for()
    page.get_by_label("agree", exact=True).check()
    page.get_by_role("button", name="Record the mark").click()
    page.get_by_text("Claim 1 marked").wait_for()


def test_a_question_without_support_is_refused_with_what_to_add(page: Any) -> None:
    ask(page, "Which tyres may a lorry have in winter?")
    page.get_by_text("do not support an answer").wait_for()
    page.get_by_text("nearest provisions").first.wait_for()
    shot(page, "refusal")


def test_settings_say_what_the_model_is_and_what_wins(page: Any) -> None:
    turn_to(page, "Settings")
    page.get_by_text("Language model in use").wait_for()
    page.locator("#pc-model textarea, #pc-model input").first.fill("/nowhere/model.gguf")
    page.locator("#pc-use-model").click()
    page.locator("#pc-model-said").get_by_text("PINCITE_LLM is set and wins").wait_for()  # the server of these tests was started with it
    page.get_by_text("Advanced: every setting and where it comes from").click()
    page.get_by_text("Variable that wins").wait_for()


def test_a_click_says_at_once_that_it_was_taken(page: Any) -> None:
    """Before the server has answered: the answer is held back here until the sign was seen, and goes when it comes."""
    turn_to(page, "Audit")
    page.wait_for_timeout(1000)
    held, free = list[Any](), list[bool]()
    page.route("**/queue/join*", lambda route: route.continue_() if free else held.append(route))
    page.locator("#pc-verify").click()
    page.locator("#pc-verify[aria-busy=true]").wait_for(timeout=2000)
    assert page.locator("body.pc-working").count() == 1
    free.append(True)
    for route in held:
        route.continue_()
    page.get_by_text("Sound:").wait_for()
    page.locator("body:not(.pc-working)").wait_for(state="attached")
    assert page.locator("#pc-verify[aria-busy]").count() == 0


def test_a_provision_is_opened_and_its_neighbours(page: Any) -> None:
    turn_to(page, "Sources")
    page.locator("#pc-address textarea, #pc-address input").first.fill("Art. 35 GDPR")
    page.get_by_role("button", name="Open", exact=True).click()
    page.locator("#pc-source-viewer h2", has_text="Art. 35 GDPR").wait_for()
    page.locator("#pc-source-viewer").get_by_role("button", name="Next").click()
    page.locator("#pc-source-viewer h2", has_text="Art. 36 GDPR").wait_for()
    page.get_by_role("button", name="Check the index files against their hashes").click()
    page.get_by_text("Sound: every index file").wait_for()
    shot(page, "sources")


def test_the_keyboard_reaches_a_citation(page: Any) -> None:
    ask(page, DPIA)
    page.locator(".pc-cite").first.wait_for()
    page.locator(".pc-cite").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#pc-viewer .pc-law mark").first.wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (800, "dark"), (1280, "dark"), (800, "light")])
def test_every_page_can_be_read_by_everyone(built: str, browser: Any, width: int, scheme: str) -> None:
    """No page is wider than the screen, and axe finds nothing serious, with an answer, a finding and a provision on them."""
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, built, width, scheme) as page:
        ready(page)
        ask(page, DPIA)
        page.locator("#pc-viewer .pc-law mark").first.wait_for()
        turn_to(page, "Gaps")
        sample(page)
        page.locator("#pc-assess").click()
        page.locator(".pc-counts").wait_for()
        page.locator('#pc-findings [data-testid="cell-0-1"]').click()
        page.locator(".pc-finding h2").first.wait_for()
        serious = []
        for name in PAGES:
            turn_to(page, name)
            page.wait_for_timeout(700)
            found = Axe().run(page).response["violations"]
            serious += [f"{name}: {v['id']}: {v['help']}: {[n['target'] for n in v['nodes']][:4]}" for v in found if v["impact"] in ("serious", "critical")]
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 1:
                serious.append(f"{name} is {wide} pixels wider than the screen")
            if name == "Settings":  # no picture shows where the data of this run lay
                page.evaluate(
                    "for (const td of document.querySelectorAll('td')) if (td.innerText.startsWith('/')) td.innerText = '/home/ada/.local/share/pincite'"
                )
            if name in ("Start", "Settings") and width == 1280 and scheme == "light":
                shot(page, name.lower())
            if (width, scheme, name) in ((800, "light", "Ask"), (800, "dark", "Gaps")):
                shot(page, f"{name.lower()}-{width}-{scheme}")
        assert serious == []


def test_roles_and_the_way_in_and_out(browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    from assistant.settings import Settings
    from assistant.workbench import Workbench

    bench = Workbench(Settings(home=tmp_path, llm="none"))
    for name, role in (("root", "admin"), ("dev", "developer")):
        bench.keep_user(name, role, PASSWORD)
    with serving(tmp_path) as origin, opened(browser, origin) as page:
        assert page.url.endswith("/login")
        found = Axe().run(page).response["violations"]
        assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
        shot(page, "login")
        page.get_by_label("Name").fill("dev")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        ready(page)
        page.get_by_text("dev (developer)").wait_for()
        tabs = [t.inner_text() for t in page.get_by_role("tab").all() if t.is_visible()]
        assert "Ask" in tabs and not {"Audit", "Settings"} & set(tabs)
        page.locator("body:not(.pc-working)").wait_for(state="attached")  # leaving while the page still loads makes its own console complain
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Password").wait_for()
