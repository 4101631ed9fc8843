"""Pincite: a local assistant for regulatory compliance whose every statement carries a checked pinpoint citation."""

__version__ = "0.1.0"
