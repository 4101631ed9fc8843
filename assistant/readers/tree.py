"""Builds an instrument's text and its provisions together, so that every span slices back by construction.

A reader opens a provision, writes its words, and opens the next; opening at a depth closes what is deeper.
Knows nothing of formats.
"""

from assistant.law import Provision, Span
from assistant.pinpoint import Pinpoint


class Tree:
    """A text under construction. `text` and `provisions` are the result; `repeated` lists addresses met twice."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._rows: list[tuple[Pinpoint, str, str, str, int, int, int]] = []  # pinpoint kind heading label start end parent
        self._stack: list[tuple[int, int]] = []  # (depth, row)
        self._seen: set[Pinpoint] = set()
        self.repeated: list[Pinpoint] = []

    def open(self, pinpoint: Pinpoint, kind: str, depth: int, heading: str = "", label: str = "") -> bool:
        """Begin a provision at `depth` (0 outermost); what is as deep or deeper ends here.

        An address met before is not opened again: its words then belong to the enclosing provision, and it is listed.
        """
        self.close(depth)
        if pinpoint in self._seen:
            self.repeated.append(pinpoint)
            return False
        self._seen.add(pinpoint)
        if self._length:
            self._append("\n")
        parent = self._stack[-1][1] if self._stack else -1
        self._stack.append((depth, len(self._rows)))
        self._rows.append((pinpoint, kind, heading, label, self._length, -1, parent))
        return True

    def close(self, depth: int = 0) -> None:
        """End every open provision that is as deep as `depth` or deeper."""
        while self._stack and self._stack[-1][0] >= depth:
            row = self._stack.pop()[1]
            self._rows[row] = (*self._rows[row][:5], self._length, self._rows[row][6])

    def write(self, words: str, joint: str = "\n") -> None:
        """Add words to the innermost open provision, or to the text outside all provisions; `joint` precedes them."""
        words = words.strip()
        if not words:
            return
        at_start = self._stack and self._rows[self._stack[-1][1]][4] == self._length
        if self._length and not at_start and self._pieces[-1] != "\n":
            self._append(joint)
        self._append(words)

    def heading(self, heading: str) -> None:
        """Name the innermost open provision when its heading comes after its number."""
        row = self._stack[-1][1]
        p, kind, _, label, start, end, parent = self._rows[row]
        self._rows[row] = (p, kind, heading, label, start, end, parent)

    @property
    def current(self) -> Pinpoint | None:
        """The innermost open provision."""
        return self._rows[self._stack[-1][1]][0] if self._stack else None

    def _append(self, piece: str) -> None:
        self._pieces.append(piece)
        self._length += len(piece)

    def result(self) -> tuple[str, tuple[Provision, ...]]:
        """The text and the provisions in document order."""
        self.close()
        provisions = tuple(Provision(p, kind, heading, label, Span(start, end), parent) for p, kind, heading, label, start, end, parent in self._rows)
        return "".join(self._pieces), provisions
