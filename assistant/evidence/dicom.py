"""placeholder"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """x"""

    folder: Path


def survey(request: Request) -> dict[str, Any]:
    """x"""
    return {}
