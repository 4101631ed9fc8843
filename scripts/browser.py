"""Finds or fetches a Chromium and runs the tests that click through the app. `make test-browser` runs it, inside .venv.

Order: PINCITE_CHROMIUM, the system's own, Playwright's own; then, as root (or with sudo that asks nothing), the system's
package; then Playwright's download. When none of it works, one line says what to do, and the end is a failure.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHTS = "from playwright.sync_api import sync_playwright as p\nwith p() as q: print(q.chromium.executable_path)"


def say(line: str) -> None:
    """A line of progress."""
    sys.stderr.write(f"browser: {line}\n")
    sys.stderr.flush()


def done(*command: str, seconds: int = 600) -> bool:
    """Whether a command ends well; what it says is shown only when it does not."""
    try:
        ran = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{command[0]}: {error}")
        return False
    if ran.returncode:
        say(f"{' '.join(command[:4])} failed: {ran.stdout.strip()[-400:]}")
    return ran.returncode == 0


def works(path: str) -> bool:
    """Whether a browser starts and draws a page: a stub that only tells how to install one does not."""
    try:
        ran = subprocess.run(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "data:text/html,<p>drawn</p>"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "drawn" in ran.stdout


def found() -> str:
    """The path of a Chromium that works; "" when there is none."""
    told = os.environ.get("PINCITE_CHROMIUM", "")
    own = subprocess.run([sys.executable, "-c", PLAYWRIGHTS], capture_output=True, text=True).stdout.strip()
    for path in (told, *(shutil.which(n) or "" for n in NAMES), own):
        if path and Path(path).exists() and works(path):
            return path
    return ""


def fetched() -> str:
    """A Chromium from the system's package or from Playwright; "" when neither can be had."""
    apt, sudo = shutil.which("apt-get"), shutil.which("sudo")
    root = os.geteuid() == 0
    if apt and (root or (sudo and done(sudo, "-n", "true", seconds=10))):
        say("installing the package chromium")
        first = [] if root else [str(sudo), "-n"]
        if done(*first, apt, "update") and done(*first, apt, "install", "-y", "--no-install-recommends", "chromium") and (path := found()):
            return path
    say("asking Playwright for its own")
    return found() if done(sys.executable, "-m", "playwright", "install", "chromium") else ""


def main() -> int:
    """Runs the tests; their exit code, or 1 without a browser."""
    if not all(importlib.util.find_spec(name) for name in ("playwright", "axe_playwright_python")):
        say("installing Playwright and axe")
        if not done(sys.executable, "-m", "pip", "install", "-q", "-e", ".[browser]", "-c", "constraints.txt"):
            return 1
    path = found() or fetched()
    if not path:
        say(
            "there is no Chromium, and none could be fetched. As root: apt-get install chromium. Without root, where a network is: "
            f"{sys.executable} -m playwright install chromium. Or name one: PINCITE_CHROMIUM=/path/to/chromium make test-browser"
        )
        return 1
    say(f"using {path}")
    return subprocess.call([sys.executable, "-m", "pytest", "-rs", "-m", "browser", *sys.argv[1:]], cwd=ROOT, env={**os.environ, "PINCITE_CHROMIUM": path})


if __name__ == "__main__":
    sys.exit(main())
