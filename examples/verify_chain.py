"""An audit log checked by other means than Pincite's own: python examples/verify_chain.py AUDIT [HEAD]

AUDIT is a file from `pincite audit export -o AUDIT`, a record.sqlite, or an evidence bundle (.zip). HEAD is the hash of
a record that was noted earlier. Written from the form that assistant/record.py documents, with the standard library
alone and a JSON writer of its own; prints one line and exits 0 when the log is sound, 1 when it is not, 2 when it
cannot be read.
"""

import hashlib
import json
import sqlite3
import sys
import zipfile

TAG = b"pincite-audit-1\n"
ZEROS = "0" * 64
FIELDS = ("seq", "id", "time", "user", "action", "body", "parent", "hash")
SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def text(value):
    """A JSON text: only what JSON demands is escaped."""
    return '"' + "".join(SHORT.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'


def written(value):
    """The one spelling of a JSON value: keys in the order of code points, no white space."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return text(value)
    if isinstance(value, list):
        return "[" + ",".join(written(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{text(k)}:{written(value[k])}" for k in sorted(value)) + "}"
    raise ValueError(f"{type(value).__name__} has no place in a record")


def object_of(line):
    """The object that a line holds, or None where the line is not the one spelling of an object."""
    try:
        value = json.loads(line)
        return value if isinstance(value, dict) and written(value) == line else None
    except (ValueError, RecursionError):
        return None


def from_database(path):
    """The records of a record.sqlite; a body in another spelling is none."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    for row in db.execute("SELECT seq, id, time, user, action, body, parent, hash FROM audit ORDER BY seq"):
        record = dict(zip(FIELDS, row, strict=True))
        record["body"] = object_of(record["body"]) if isinstance(record["body"], str) else None
        yield record


def read(path):
    """The records of a log, in order; None for what is not in the form."""
    with open(path, "rb") as stream:
        head = stream.read(16)
    if head == b"SQLite format 3\0":
        yield from from_database(path)
        return
    if head.startswith(b"PK"):
        with zipfile.ZipFile(path) as archive:
            data = archive.read("audit.jsonl")
    else:
        with open(path, "rb") as stream:
            data = stream.read()
    lines = data.decode("utf8", "replace").removesuffix("\n")
    for line in lines.split("\n") if lines else ():
        yield object_of(line)


def wrong(record, count, parent):
    """What is wrong with a record that should be number `count` after `parent`; "" when nothing is."""
    if record is None or set(record) != set(FIELDS) or not isinstance(record["body"], dict):
        return "not in the form of a record"
    if type(record["seq"]) is not int or any(not isinstance(record[f], str) for f in FIELDS if f not in ("seq", "body")):
        return "a field has the wrong type"
    if record["seq"] != count:
        return f"sequence number {record['seq']}"
    if record["parent"] != parent:
        return "its parent is not the record before it"
    said = record.pop("hash")
    if hashlib.sha256(TAG + written(record).encode("utf8", "replace")).hexdigest() != said:
        return "its content does not give its hash"
    record["hash"] = said
    return ""


def verify(records, known_head=None):
    """(sound, number of records, head, what is wrong)."""
    parent, count, seen = ZEROS, 0, {ZEROS}
    for record in records:
        count += 1
        try:
            problem = wrong(record, count, parent)
        except (ValueError, RecursionError) as error:
            problem = str(error)
        if problem:
            return False, count, parent, f"record {count}: {problem}"
        parent = record["hash"]
        seen.add(parent)
    if known_head and known_head not in seen:
        return False, count, parent, "the noted head is not in the log: it was cut, rolled back, or is another"
    return True, count, parent, ""


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        sound, count, head, problem = verify(read(sys.argv[1]), *sys.argv[2:])
    except (OSError, sqlite3.Error, zipfile.BadZipFile, KeyError) as error:
        sys.stderr.write(f"{sys.argv[1]} cannot be read: {error}\n")
        sys.exit(2)
    sys.stdout.write(f"sound: {count} records, head {head}\n" if sound else f"NOT sound: {problem}\n")
    sys.exit(0 if sound else 1)
