"""Long work on the screen: a thread does it, and the page shows step, elapsed time and an estimate until it ends.

What is done is kept by the work itself; a closed tab stops the watching, never the work.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator

from assistant.errors import PinciteError
from assistant.ui.parts import banner, esc, failure

_COUNT = re.compile(r"(\d+) of (\d+)")
BEAT = 0.4  # seconds between two looks


def watch(title: str, job: Callable[[Callable[[str], None]], str]) -> Iterator[str]:
    """Runs `job(say)` in a thread; yields what to show: its last word with progress, then its result or its error."""
    said: list[str] = []
    ended: list[str] = []
    started = time.monotonic()

    def body() -> None:
        try:
            ended.append(banner(job(said.append), "good"))
        except PinciteError as error:
            ended.append(failure(error))

    thread = threading.Thread(target=body, name=title)
    thread.start()
    while thread.is_alive():
        yield progress(title, said, time.monotonic() - started)
        thread.join(BEAT)
    yield ended[0] if ended else banner(f"{title} stopped unexpectedly; the log of the server says why.", "bad")


def progress(title: str, said: list[str], elapsed: float) -> str:
    """Step, k of n, elapsed time, and an estimate when the step counts."""
    last = said[-1] if said else "starting"
    count = _COUNT.search(last)
    bar = estimate = ""
    if count and int(count[2]):
        done = min(1.0, int(count[1]) / int(count[2]))
        bar = f'<progress max="{count[2]}" value="{count[1]}" aria-label="{esc(last)}"></progress>'
        estimate = f", about {elapsed / done - elapsed:.0f} s left in this step" if 0 < done < 1 else ""
    earlier = "".join(f"<div>{esc(s)}</div>" for s in said[-6:-1])
    return f'<div class="pc-tile" role="status"><h3>{esc(title)}</h3><p>{esc(last)}</p>{bar}<p>{elapsed:.0f} s so far{estimate}</p><div class="pc-steps">{earlier}</div></div>'
