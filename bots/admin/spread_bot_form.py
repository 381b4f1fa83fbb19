"""The form of a spread bot, its settings grouped as people think of them."""

from __future__ import annotations

from typing import Any

from bots import services
from bots.admin.bot import BotForm
from bots.models import SpreadBot
from bots.validation.spread_bot import OVERRIDES_FORM

FIELDSETS = [
    (None, {"fields": ["name", "connection", "symbol", "cycle_seconds"]}),
    (
        "Quotes",
        {
            "fields": [
                ("bid_spread_pct", "ask_spread_pct"),
                "minimum_spread_pct",
                ("order_amount", "levels"),
                ("level_spread_pct", "level_amount"),
                "level_overrides",
                "post_only",
                "requote_tolerance_pct",
            ]
        },
    ),
    (
        "Reference price",
        {
            "fields": [
                "reference",
                ("reference_connection", "reference_symbol"),
                ("price_ceiling", "price_floor"),
            ]
        },
    ),
    (
        "Inventory",
        {"fields": ["inventory_skew", ("inventory_target_pct", "inventory_range_multiplier")]},
    ),
    (
        "Order optimisation",
        {"fields": ["order_optimization", ("bid_optimization_depth", "ask_optimization_depth")]},
    ),
    (
        "Limits",
        {
            "fields": [
                ("max_order_cost", "max_position"),
                ("max_open_orders", "daily_loss_limit"),
                ("price_band_pct", "max_book_age_seconds"),
            ]
        },
    ),
    ("When it is stopped", {"fields": ["on_stop"]}),
]


class SpreadBotForm(BotForm):
    create = staticmethod(services.create_spread_bot)

    class Meta:
        model = SpreadBot
        fields = services.FIELDS[SpreadBot]
        labels = {"order_optimization": "Optimise the orders"}
        error_messages = {"level_overrides": {"invalid": OVERRIDES_FORM}}

    def clean_level_overrides(self) -> list[Any]:
        return self.cleaned_data["level_overrides"] or []
