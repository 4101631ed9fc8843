"""Who may do what: one table, which the app's handlers and the API's routes both ask before they act."""

from collections.abc import Mapping

from assistant.errors import Refused

ROLES = ("compliance", "developer", "reviewer", "auditor", "admin")
MAY: Mapping[str, tuple[str, ...]] = {
    "ask": ROLES,  # ask, search, read provisions and what is one's own
    "assess": ("compliance", "developer", "reviewer", "admin"),  # cards, gaps, drafts
    "decide": ("compliance", "reviewer", "admin"),  # accept, edit, reject, assign, comment, sign
    "audit": ("compliance", "reviewer", "auditor", "admin"),  # the record, traces, samples, bundles
    "see-all": ("admin",),  # what others asked and made; everyone else sees of others' what was shared with them or handed to them (projects.lent)
    "sources": ("compliance", "admin"),  # add and fetch documents
    "settings": ("admin",),  # users, model, backup
}


def may(role: str, what: str) -> bool:
    """Whether a role covers an action of the table."""
    return role in MAY[what]


def need(role: str, what: str) -> None:
    """Raises Refused, with the roles that may, unless the role covers the action."""
    if not may(role, what):
        raise Refused(f"This needs the role {' or '.join(MAY[what])}", "Ask an administrator")
