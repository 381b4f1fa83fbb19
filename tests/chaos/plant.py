"""Creates a desk's connections and bots through the product's services; `manage.py shell` runs it."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User

from bots import services as bots
from exchanges import services as exchanges
from vault.secret import Secret


def plant(plan: str) -> None:
    """plan: JSON, a list of {"name", "venue", "key", "secret", "passphrase", "bots": [settings of each]}; at
    Binance if not said, where keys have no passphrase. A bot with "symbols" is a scalper."""
    admin = User.objects.get(username="admin")
    for row in json.loads(plan):
        connection = exchanges.create_connection(
            actor=admin,
            name=row["name"],
            venue=row.get("venue", "binance"),
            mode=row.get("mode", "live"),
            owner=admin,
            secrets={
                "api_key": Secret(row["key"]),
                "api_secret": Secret(row["secret"]),
                "passphrase": Secret(row.get("passphrase", "")),
            },
            paper_balances=row.get("paper_balances", {}),
        )
        for settings in row["bots"]:
            _start(admin, connection, settings)


def _start(admin: User, connection: Any, settings: dict[str, Any]) -> None:
    create = bots.create_scalper_bot if "symbols" in settings else bots.create_spread_bot
    bot = create(actor=admin, connection=connection, **settings)
    bots.start_bot(bot=bot, actor=admin)


def stop_all() -> None:
    from bots.models import Bot

    for bot in Bot.objects.all():
        bots.stop_bot(bot=bot, actor=None)
