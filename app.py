"""Opens the app on 127.0.0.1:7860; the same as `pincite serve`."""

import sys

from assistant.cli import main

if __name__ == "__main__":
    main(["serve", *sys.argv[1:]])
