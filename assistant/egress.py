"""What this process asks of a network: the opt-outs that hold, and every connection or look-up beyond this machine since the watch began."""

import os
import sys
from functools import cache
from typing import Any

import assistant

_WATCHED = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}  # event: where its address stands
_HERE = ("127.", "::1", "localhost", "None", "0.0.0.0")


@cache
def reached() -> list[str]:
    """The hosts beyond this machine that were asked for since the first call, which begins the watch; it grows."""
    found: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in _WATCHED:
            address = arguments[_WATCHED[event]]
            if event.startswith("socket.get") or isinstance(address, tuple):  # any other address is a file of this machine
                host = address[0] if isinstance(address, tuple) else address
                name = host.decode("latin-1") if isinstance(host, bytes) else str(host)
                if name and not name.startswith(_HERE):
                    found.append(name)

    sys.addaudithook(watch)
    return found


def opted_out() -> list[str]:
    """The opt-outs that hold now, by variable. Raises nothing: one that a user turned on again is missing here."""
    return [name for name, value in assistant.OPT_OUTS.items() if os.environ.get(name) == value]
