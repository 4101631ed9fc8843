"""The errors a person may meet, each with the exit code the command line gives for it.

PinciteError                 one line: what happened, and what to do
├── UsageError        2      wrong arguments, settings or input that cannot be read
│   └── Unreadable    2      a document refused, with a code and what was seen
├── NotReady          3      no index, no model, or the data folder is in use
│   ├── Away          3      a store that does not answer now and may soon
│   └── Overtaken     3      a job that is another worker's by now, or was cancelled
├── Refused           4      policy forbids it (offline, role, address)
└── Internal        101      a promise of our own was broken
"""


class PinciteError(Exception):
    """Base of every expected error. `str(error)` is the one line to show; `hint` says what to do next."""

    exit_code = 101

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(printable(message))
        self.hint = printable(hint)

    def line(self) -> str:
        """What happened and what to do, in one line."""
        return f"{self}. {self.hint}" if self.hint else str(self)


def printable(text: str) -> str:
    """The text as one line that any terminal and file can take: what cannot be printed, as in hostile file names, is spelled out."""
    return "".join(c if c.isprintable() else " " if c in "\xa0\u2009\u202f" else c.encode("unicode_escape").decode() for c in text)


class UsageError(PinciteError):
    """Arguments, settings or input that cannot be used as they are."""

    exit_code = 2


class Unreadable(UsageError):
    """A document that was refused. `code` is stable and machine-readable, such as `no-text` or `not-recognised`."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.code = code

    def about(self, file: str) -> "Unreadable":
        """The same refusal, naming the file where it does not yet."""
        return self if file in str(self) else Unreadable(self.code, f"{file}: {self}", self.hint)


class NotReady(PinciteError):
    """Something has to exist or finish first: an index, a model, another process."""

    exit_code = 3


class Away(NotReady):
    """The store does not answer, as while it is started again; what was asked may be asked once more."""


class Overtaken(NotReady):
    """A job was cancelled, or another worker has taken it up."""


class Refused(PinciteError):
    """A policy forbids it."""

    exit_code = 4


class Internal(PinciteError):
    """One of the program's own promises was broken."""

    exit_code = 101
