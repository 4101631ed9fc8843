"""Reads official files (no argument: the shipped corpus) into the library; the same as `pincite ingest`."""

import sys

from assistant.cli import main

if __name__ == "__main__":
    main(["ingest", *sys.argv[1:]])
