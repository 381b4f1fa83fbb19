"""What an operator has to know of Alpaca."""

from __future__ import annotations

from exchanges.venues.facts import KEY_AND_SECRET, Venue

VENUE = Venue(id="alpaca", title="Alpaca", credential_fields=KEY_AND_SECRET, supports_post_only=False)
