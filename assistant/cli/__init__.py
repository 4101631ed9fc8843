"""The command line: reads arguments, calls one verb of the workbench, prints. Data on stdout, progress on stderr.

Exit codes: 0 done, 1 findings at or above --fail-on or a failed check, 2 usage, 3 not ready, 4 refused, 5 partly done,
101 internal, 130 interrupted. Imports nothing heavy: `pincite --help` answers at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from assistant.cli import cards, choosing, evidence, keeping, measuring, people, texts
from assistant.cli.base import say
from assistant.errors import PinciteError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Answers, checks and drafts for medical AI regulation, each statement with a checked citation.",
)
for part in (texts, cards, people, choosing, keeping, measuring):
    app.add_typer(part.app)
app.add_typer(evidence.app, name="evidence")


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command and exit with its code; every expected error is one line on stderr."""
    try:
        code = app(list(argv) if argv is not None else None, standalone_mode=False)
        if code == 130:  # how typer reports Ctrl-C
            raise KeyboardInterrupt
        sys.exit(code if isinstance(code, int) else 0)
    except PinciteError as error:
        say(f"pincite: {error.line()}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("pincite: interrupted; nothing was left half-written")
        sys.exit(130)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        sys.exit(0)
    except Exception as error:
        sys.exit(_unexpected(error))


def _unexpected(error: Exception) -> int:
    """Typer's own usage errors keep their text; anything else is a defect of ours."""
    show = getattr(error, "format_message", None)
    if callable(show):
        say(f"pincite: {show()}. Try --help")
        return 2
    if os.environ.get("PINCITE_DEBUG"):
        raise error
    say(f"pincite: internal error: {type(error).__name__}: {error}. Please report it; PINCITE_DEBUG=1 shows where")
    return 101
