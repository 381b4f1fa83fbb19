"""A bot: one strategy's settings on one connection, and the state in which it is wanted."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from database.money import MoneyField


class BotState(models.TextChoices):
    STOPPED = "stopped", "Stopped"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"  # places nothing new
    STOPPING = "stopping", "Stopping"  # a worker settles and cancels, then it is stopped


class BotQuerySet(models.QuerySet["Bot"]):
    def at_work(self) -> BotQuerySet:
        """Those that a worker must look after."""
        return self.exclude(state=BotState.STOPPED)


class Bot(models.Model):
    """What every kind of bot has: a connection, a state, and limits. The kinds add their settings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="bots"
    )
    state = models.CharField(max_length=8, choices=BotState, default=BotState.STOPPED, editable=False)
    cycle_seconds = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1)], help_text="Seconds between two looks at the market."
    )

    max_order_cost = MoneyField(
        "largest order", null=True, blank=True, help_text="In quote currency. Empty: no limit."
    )
    max_position = MoneyField(
        "largest position",
        null=True,
        blank=True,
        help_text="In base currency, bought or sold by this bot on balance, open orders included. "
        "Empty: no limit.",
    )
    max_open_orders = models.PositiveSmallIntegerField("most open orders", default=20)
    daily_loss_limit = MoneyField(
        null=True,
        blank=True,
        help_text="In quote currency, since midnight UTC: at this loss the bot places nothing until the "
        "next day. Empty: no limit.",
    )
    price_band_pct = MoneyField(
        "price band",
        default="0.2",
        help_text="No order further than this from the middle of the book: 0.2 is 20 per cent.",
    )
    max_book_age_seconds = models.PositiveSmallIntegerField(
        "oldest book", default=15, help_text="Seconds. With an older book the bot stands aside."
    )

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_cycle_at = models.DateTimeField("last cycle", null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(
        auto_now=True, help_text="Of the last save: workers read its settings anew when this is another."
    )

    objects = BotQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "name"],
                name="bot_name_unique_per_connection",
                violation_error_message="This connection has a bot of this name already.",
            ),
            models.CheckConstraint(condition=Q(cycle_seconds__gte=1), name="bot_cycle_positive"),
            models.CheckConstraint(
                condition=Q(max_order_cost=None) | Q(max_order_cost__gt=0),
                name="bot_max_order_cost_positive",
                violation_error_message="The largest order must be more than 0, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(max_position=None) | Q(max_position__gt=0),
                name="bot_max_position_positive",
                violation_error_message="The largest position must be more than 0, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(daily_loss_limit=None) | Q(daily_loss_limit__gt=0),
                name="bot_daily_loss_limit_positive",
                violation_error_message="The daily loss limit must be more than 0, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(price_band_pct__gt=0),
                name="bot_price_band_positive",
                violation_error_message="The price band must be more than 0: 0.2 is 20 per cent.",
            ),
        ]
        permissions = [("operate_bot", "Can start, pause and stop bots")]

    def __str__(self) -> str:
        return self.name

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Whatever is saved of it, workers are to see it."""
        names = None if update_fields is None else {*update_fields, "changed_at"}
        super().save(update_fields=names, **kwargs)

    @property
    def leaves_orders(self) -> bool:
        """When it is stopped, its orders stay in the book."""
        return False
