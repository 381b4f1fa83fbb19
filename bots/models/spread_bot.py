"""The settings of a spread bot, as typed columns; `bots.strategies.spread` decides with them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from bots.models.bot import Bot
from bots.strategies.protections import quote_of
from bots.strategies.reference import ReferenceKind
from bots.strategies.spread_settings import Rung, SpreadSettings
from database.money import MoneyField
from exchanges.types import Side

FRACTION = "A fraction of the reference price: 0.01 is one per cent."


class Reference(models.TextChoices):
    MID = "mid", "Middle of the book"
    LAST = "last", "Last trade"
    BID = "bid", "Best bid"
    ASK = "ask", "Best ask"
    OWN_TRADE = "own_trade", "This bot's last trade (the middle before the first)"
    OTHER_MARKET = "other_market", "Middle of another market"


class OnStop(models.TextChoices):
    CANCEL = "cancel", "Cancel its orders"
    LEAVE = "leave", "Leave its orders in the book"


class SpreadBot(Bot):
    """Quotes both sides of one market around a reference price."""

    symbol = models.CharField(max_length=80, help_text="As ccxt writes it: BTC/USDT.")
    reference = models.CharField("reference price", max_length=12, choices=Reference, default=Reference.MID)
    reference_connection = models.ForeignKey(
        "exchanges.ExchangeConnection",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="For “another market”: the connection through which its book is read.",
    )
    reference_symbol = models.CharField(max_length=80, blank=True)

    bid_spread_pct = MoneyField("bid spread", help_text=f"Distance of the first bid. {FRACTION}")
    ask_spread_pct = MoneyField("ask spread", help_text=f"Distance of the first ask. {FRACTION}")
    minimum_spread_pct = MoneyField(
        "minimum spread", default="0", help_text=f"No order rests nearer than this. {FRACTION} 0: no rule."
    )
    order_amount = MoneyField(help_text="Size of the first level, in base currency.")
    levels = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(50)], help_text="Orders on each side."
    )
    level_spread_pct = MoneyField(
        "spread step", default="0", help_text=f"What each level adds to the distance. {FRACTION}"
    )
    level_amount = MoneyField(
        "amount step", default="0", help_text="What each level adds to the size, in base currency."
    )
    level_overrides = models.JSONField(
        default=list,
        blank=True,
        help_text="Instead of the ladder above, one entry an order: "
        '[["buy", "0.005", "0.7"], …] is side, distance as a fraction, amount in base currency.',
    )

    price_ceiling = MoneyField(
        null=True, blank=True, help_text="At or above this reference price, only asks. Empty: none."
    )
    price_floor = MoneyField(
        null=True, blank=True, help_text="At or below this reference price, only bids. Empty: none."
    )

    order_optimization = models.BooleanField(
        default=False,
        help_text="Do not quote better than needed: just ahead of the best order of others, if that is "
        "further away than the spread.",
    )
    bid_optimization_depth = MoneyField(
        default="0", help_text="Base currency of others' bids to look past when optimising."
    )
    ask_optimization_depth = MoneyField(
        default="0", help_text="Base currency of others' asks to look past when optimising."
    )

    inventory_skew = models.BooleanField(
        default=False, help_text="Buy less and sell more while more than the target is held, and vice versa."
    )
    inventory_target_pct = MoneyField(
        "inventory target",
        default="0.5",
        help_text="Share of base currency in the value of both: 0.5 is one half.",
    )
    inventory_range_multiplier = MoneyField(
        "inventory range",
        default="1",
        help_text="How far from the target one side stops, in multiples of all orders' total amount.",
    )

    post_only = models.BooleanField(
        default=True, help_text="Never take: an order that would cross the book is left out."
    )
    requote_tolerance_pct = MoneyField(
        "re-quote tolerance",
        default="0.0005",
        help_text=f"An order this near to its new price stays, and keeps its place in the queue. {FRACTION}",
    )
    on_stop = models.CharField(max_length=6, choices=OnStop, default=OnStop.CANCEL)

    objects: ClassVar[models.Manager[SpreadBot]] = models.Manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "spread bot"
        constraints = [
            models.CheckConstraint(
                condition=Q(bid_spread_pct__gte=0) & Q(bid_spread_pct__lt=1),
                name="spread_bot_bid_spread_fraction",
                violation_error_message="The bid spread must be from 0 to less than 1: 0.01 is one per cent.",
            ),
            models.CheckConstraint(
                condition=Q(ask_spread_pct__gte=0) & Q(ask_spread_pct__lt=1),
                name="spread_bot_ask_spread_fraction",
                violation_error_message="The ask spread must be from 0 to less than 1: 0.01 is one per cent.",
            ),
            models.CheckConstraint(
                condition=Q(bid_spread_pct__gt=0) | Q(ask_spread_pct__gt=0),
                name="spread_bot_bid_below_ask",
                violation_error_message="With both spreads 0 the bid would stand at the ask's price.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_spread_pct__gte=0) & Q(minimum_spread_pct__lt=1),
                name="spread_bot_minimum_spread_fraction",
                violation_error_message="The minimum spread must be from 0 to less than 1.",
            ),
            models.CheckConstraint(
                condition=Q(order_amount__gt=0),
                name="spread_bot_order_amount_positive",
                violation_error_message="The order amount must be more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(levels__gte=1) & Q(levels__lte=50),
                name="spread_bot_levels_in_range",
                violation_error_message="A bot has 1 to 50 levels on each side.",
            ),
            models.CheckConstraint(
                condition=Q(level_spread_pct__gte=0) & Q(level_spread_pct__lt=1),
                name="spread_bot_level_spread_fraction",
                violation_error_message="The spread step must be from 0 to less than 1.",
            ),
            models.CheckConstraint(
                condition=Q(price_ceiling=None) | Q(price_floor=None) | Q(price_ceiling__gt=F("price_floor")),
                name="spread_bot_ceiling_above_floor",
                violation_error_message="The price ceiling must be above the price floor.",
            ),
            models.CheckConstraint(
                condition=Q(bid_optimization_depth__gte=0) & Q(ask_optimization_depth__gte=0),
                name="spread_bot_depths_not_negative",
                violation_error_message="The optimisation depths must be 0 or more.",
            ),
            models.CheckConstraint(
                condition=Q(inventory_target_pct__gte=0) & Q(inventory_target_pct__lte=1),
                name="spread_bot_inventory_target_share",
                violation_error_message="The inventory target must be from 0 to 1: 0.5 is one half.",
            ),
            models.CheckConstraint(
                condition=Q(inventory_range_multiplier__gt=0),
                name="spread_bot_inventory_range_positive",
                violation_error_message="The inventory range must be more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(requote_tolerance_pct__gte=0) & Q(requote_tolerance_pct__lt=1),
                name="spread_bot_tolerance_fraction",
                violation_error_message="The re-quote tolerance must be from 0 to less than 1.",
            ),
            models.CheckConstraint(
                condition=~Q(reference=Reference.OTHER_MARKET)
                | (Q(reference_connection__isnull=False) & ~Q(reference_symbol="")),
                name="spread_bot_other_market_named",
                violation_error_message="Name the connection and the symbol of the other market.",
            ),
        ]

    when_paused = "it cancels its quotes and places nothing new."

    # What the sums over all bots need of each.
    ESSENTIALS: ClassVar = ("name", "state", "connection", "symbol")

    @property
    def quotes(self) -> tuple[str, ...]:
        """The currencies in which it earns."""
        return (quote_of(self.symbol),)

    @property
    def market_words(self) -> str:
        return self.symbol

    @property
    def leaves_orders(self) -> bool:
        return self.on_stop == OnStop.LEAVE

    @property
    def strategy_settings(self) -> SpreadSettings:
        """The columns as the strategy takes them."""
        return SpreadSettings(
            reference=ReferenceKind(self.reference),
            bid_spread_pct=self.bid_spread_pct,
            ask_spread_pct=self.ask_spread_pct,
            minimum_spread_pct=self.minimum_spread_pct,
            order_amount=self.order_amount,
            levels=self.levels,
            level_spread_pct=self.level_spread_pct,
            level_amount=self.level_amount,
            level_overrides=tuple(
                Rung(Side(side), Decimal(str(distance)), Decimal(str(amount)))
                for side, distance, amount in self.level_overrides
            ),
            price_ceiling=self.price_ceiling,
            price_floor=self.price_floor,
            order_optimization=self.order_optimization,
            bid_optimization_depth=self.bid_optimization_depth,
            ask_optimization_depth=self.ask_optimization_depth,
            inventory_skew=self.inventory_skew,
            inventory_target_pct=self.inventory_target_pct,
            inventory_range_multiplier=self.inventory_range_multiplier,
            post_only=self.post_only,
        )
