"""`python -m assistant` is the same as `pincite`."""

import sys

from assistant.cli import main

if __name__ == "__main__":
    main(sys.argv[1:])
