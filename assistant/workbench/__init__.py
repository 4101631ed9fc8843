"""One verb for each thing a person can do, with all wiring: settings, library, embedder, model, clock and the record.

The command line, the app and the API call these verbs; each that asks, assesses or changes something writes one audit
record. Verbs return plain JSON-ready values in the forms of the contract. One class, a file a group of verbs:
`core` ← `texts` ← `cards` ← `people` ← `keeping`, each standing on the one before.
"""

from assistant.workbench.cards import CARD_SECONDS
from assistant.workbench.core import check_day, now, sha256, today
from assistant.workbench.keeping import Workbench

__all__ = ["CARD_SECONDS", "Workbench", "check_day", "now", "sha256", "today"]
