"""What an operator has to know of OKX."""

from __future__ import annotations

from exchanges.venues.facts import KEY_AND_SECRET, PASSPHRASE, Venue

VENUE = Venue(id="okx", title="OKX", credential_fields=(*KEY_AND_SECRET, PASSPHRASE))
