"""What an operator has to know of Kraken."""

from __future__ import annotations

from exchanges.venues.facts import KEY_AND_SECRET, Venue

VENUE = Venue(id="kraken", title="Kraken", credential_fields=KEY_AND_SECRET)
