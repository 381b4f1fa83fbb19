"""The form of a scalper bot, its settings grouped as people think of them."""

from __future__ import annotations

from typing import Any

from unfold.widgets import UnfoldAdminTextareaWidget

from bots import services
from bots.admin.bot import BotForm
from bots.models import ScalperBot

FIELDSETS: list[tuple[str | None, dict[str, Any]]] = [
    (None, {"fields": ["name", "connection", "cycle_seconds"]}),
    ("Markets", {"fields": ["markets", "symbols", ("quote_currency", "min_day_volume")]}),
    (
        "Entry",
        {
            "fields": [
                ("order_cost", "direction"),
                ("entry_move_pct", "window_seconds"),
                ("through_pct", "entry_seconds"),
            ]
        },
    ),
    (
        "Gates",
        {
            "fields": [
                ("max_latency_ms", "max_spread_pct"),
                ("min_touch_cost", "min_free_quote"),
                ("most_positions", "most_connection_positions"),
            ]
        },
    ),
    (
        "Exits",
        {
            "fields": [
                ("stop_loss_pct", "take_profit_pct"),
                ("trailing_delta_pct", "trailing_activation_pct"),
                ("time_limit_seconds", "rests_take_profit"),
                ("exit_seconds", "exit_tries"),
            ]
        },
    ),
    (
        "Protections",
        {
            "fields": [
                "cooldown_seconds",
                ("most_stops", "stops_window_seconds", "stops_pause_seconds"),
                ("most_drawdown_pct", "drawdown_window_seconds", "drawdown_pause_seconds"),
                ("most_losses", "losses_pause_seconds"),
                "daily_loss_limit",
            ]
        },
    ),
    (
        "Limits",
        {
            "fields": [
                ("max_order_cost", "max_position"),
                ("max_open_orders", "max_book_age_seconds"),
                "price_band_pct",
            ]
        },
    ),
    ("When it is stopped", {"fields": ["on_stop"]}),
]


class ScalperBotForm(BotForm):
    create = staticmethod(services.create_scalper_bot)

    class Meta:
        model = ScalperBot
        fields = services.FIELDS[ScalperBot]
        widgets = {"symbols": UnfoldAdminTextareaWidget(attrs={"rows": 3})}
