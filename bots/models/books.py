"""Which books are in use: a dry run keeps its own, beside those of the live account.

While DRY_RUN is set, a live connection trades with play money. What it does then is never added to what it
did for real, and its real orders, which nobody asks after meanwhile, are not taken for lost.
"""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q

from exchanges.models import Mode

DRY_RUN_HELP = "Made with play money on a live connection, while DRY_RUN was set."


def books_in_use(connection: str) -> Q:
    """connection: the lookup that leads from a row to its connection."""
    if not settings.DRY_RUN:
        return Q(is_dry_run=False)
    return Q(is_dry_run=True) | ~Q(**{f"{connection}__mode": Mode.LIVE})
