"""The settings of a scalper bot, as typed columns; `bots.strategies` decides with them."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from bots.models.bot import Bot
from bots.strategies.barriers import Barriers
from bots.strategies.protections import Protections, quote_of
from bots.strategies.scalper_settings import Direction, ScalperSettings
from database.money import MoneyField

FRACTION = "A fraction: 0.01 is one per cent."
SECONDS = "In seconds."
OFF = "0: off."
SHOWN_SYMBOLS = 3


class Markets(models.TextChoices):
    LISTED = "listed", "Those that are listed"
    ALL = "all", "All of a quote currency"


class DirectionChoice(models.TextChoices):
    LONG = Direction.LONG.value, "Long: buys what rises"
    SHORT = Direction.SHORT.value, "Short: sells held base that falls, and buys it back"
    BOTH = Direction.BOTH.value, "Both"


class OnScalperStop(models.TextChoices):
    CLOSE = "close", "Close its positions first"
    LEAVE = "leave", "Leave its positions as they are, without an exit"


class ScalperBot(Bot):
    """Opens a position where a market moves, and closes it at a barrier."""

    markets = models.CharField(max_length=6, choices=Markets, default=Markets.LISTED)
    symbols = models.TextField(
        blank=True, help_text="As ccxt writes them, with commas or on lines of their own: BTC/USDT, ETH/USDT."
    )
    quote_currency = models.CharField(
        max_length=40, blank=True, help_text="For “all of a quote currency”: USDT, USD, EUR."
    )
    min_day_volume = MoneyField(
        "least volume",
        default="0",
        help_text="For “all of a quote currency”: what is traded there in 24 hours, in that currency.",
    )

    order_cost = MoneyField("entry size", help_text="What an entry costs, in quote currency.")
    direction = models.CharField(max_length=5, choices=DirectionChoice, default=DirectionChoice.LONG)
    entry_move_pct = MoneyField(
        "entry move", help_text=f"How far the middle must have moved in the window. {FRACTION}"
    )
    window_seconds = models.PositiveIntegerField(
        "window", default=60, validators=[MinValueValidator(1)], help_text=SECONDS
    )
    through_pct = MoneyField(
        "beyond the touch",
        default="0",
        help_text=f"How much worse than the touch orders are priced. {FRACTION}",
    )
    entry_seconds = models.PositiveIntegerField(
        "entry time",
        default=5,
        validators=[MinValueValidator(1)],
        help_text="Seconds after which what has not filled of an entry is cancelled.",
    )

    max_latency_ms = models.PositiveIntegerField(
        "most latency", default=0, help_text=f"Median round trip of the connection, in milliseconds. {OFF}"
    )
    max_spread_pct = MoneyField("widest spread", default="0", help_text=f"{FRACTION} {OFF}")
    min_touch_cost = MoneyField(
        "least depth",
        default="0",
        help_text="What rests at the best bid and at the best ask, in quote currency.",
    )
    min_free_quote = MoneyField(
        "least free balance", default="0", help_text="In quote currency, before an entry."
    )
    most_positions = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="Open at once, of this bot."
    )
    most_connection_positions = models.PositiveSmallIntegerField(
        "most positions of the connection",
        default=8,
        validators=[MinValueValidator(1)],
        help_text="Open at once, of all scalpers of the connection.",
    )

    stop_loss_pct = MoneyField(
        "stop loss", null=True, blank=True, help_text=f"The loss after fees at which it closes. {FRACTION}"
    )
    trailing_delta_pct = MoneyField(
        "trailing stop",
        null=True,
        blank=True,
        help_text=f"How far behind the best price the stop follows. {FRACTION}",
    )
    trailing_activation_pct = MoneyField(
        "trailing activation",
        null=True,
        blank=True,
        help_text=f"The profit after fees above which it begins to follow; 0: above break-even. {FRACTION}",
    )
    take_profit_pct = MoneyField(
        "take profit",
        null=True,
        blank=True,
        help_text=f"The profit after fees at which it closes. {FRACTION}",
    )
    rests_take_profit = models.BooleanField(
        "take profit rests",
        default=False,
        help_text="As an order in the book from the first fill on, until another exit takes its place.",
    )
    time_limit_seconds = models.PositiveIntegerField(
        "time limit", null=True, blank=True, help_text="Seconds from the first fill. Empty: none."
    )
    exit_seconds = models.PositiveIntegerField(
        "exit time",
        default=5,
        validators=[MinValueValidator(1)],
        help_text="Seconds after which an exit that has not filled is priced anew.",
    )
    exit_tries = models.PositiveSmallIntegerField(
        default=3, help_text="Prices that an exit is given; after them it goes at market."
    )

    cooldown_seconds = models.PositiveIntegerField(
        "cooldown", default=60, help_text=f"After an exit, in its market, in seconds. {OFF}"
    )
    most_stops = models.PositiveSmallIntegerField(
        default=0, help_text=f"Stops in the window, over all markets; then the bot opens nothing. {OFF}"
    )
    stops_window_seconds = models.PositiveIntegerField("stops window", default=3600, help_text=SECONDS)
    stops_pause_seconds = models.PositiveIntegerField("pause after stops", default=3600, help_text=SECONDS)
    most_drawdown_pct = MoneyField(
        "most drawdown",
        default="0",
        help_text="How far the summed profit of the window may fall from its best, as a fraction of what its "
        f"entries cost. {OFF}",
    )
    drawdown_window_seconds = models.PositiveIntegerField(
        "drawdown window", default=86_400, help_text=SECONDS
    )
    drawdown_pause_seconds = models.PositiveIntegerField(
        "pause after a drawdown", default=3600, help_text=SECONDS
    )
    most_losses = models.PositiveSmallIntegerField(
        "most losses in a row", default=0, help_text=f"In one market; then it opens nothing there. {OFF}"
    )
    losses_pause_seconds = models.PositiveIntegerField("pause after losses", default=3600, help_text=SECONDS)

    on_stop = models.CharField(max_length=5, choices=OnScalperStop, default=OnScalperStop.CLOSE)
    scan_place = models.CharField(max_length=80, blank=True, editable=False)

    objects: ClassVar[models.Manager[ScalperBot]] = models.Manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = "scalper bot"
        constraints = [
            models.CheckConstraint(
                condition=Q(order_cost__gt=0),
                name="scalper_bot_order_cost_positive",
                violation_error_message="The entry size must be more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(entry_move_pct__gt=0) & Q(entry_move_pct__lt=1),
                name="scalper_bot_entry_move_fraction",
                violation_error_message="The entry move must be more than 0 and less than 1: 0.01 is 1 %.",
            ),
            models.CheckConstraint(
                condition=Q(stop_loss_pct=None) | (Q(stop_loss_pct__gt=0) & Q(stop_loss_pct__lt=1)),
                name="scalper_bot_stop_loss_fraction",
                violation_error_message="The stop loss must be more than 0 and less than 1, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(trailing_delta_pct=None)
                | (Q(trailing_delta_pct__gt=0) & Q(trailing_delta_pct__lt=1)),
                name="scalper_bot_trailing_delta_fraction",
                violation_error_message="The trailing stop must be more than 0 and less than 1, or empty.",
            ),
            models.CheckConstraint(
                condition=Q(take_profit_pct=None) | Q(take_profit_pct__gt=0),
                name="scalper_bot_take_profit_positive",
                violation_error_message="The take profit must be more than 0, or empty.",
            ),
            models.CheckConstraint(
                condition=~Q(markets=Markets.LISTED) | ~Q(symbols=""),
                name="scalper_bot_symbols_listed",
                violation_error_message="List the markets, for example BTC/USDT.",
            ),
            models.CheckConstraint(
                condition=~Q(markets=Markets.ALL) | ~Q(quote_currency=""),
                name="scalper_bot_quote_currency_named",
                violation_error_message="Name the quote currency of the markets, for example USDT.",
            ),
            models.CheckConstraint(
                condition=Q(most_positions__lte=F("most_connection_positions")),
                name="scalper_bot_positions_within_connection",
                violation_error_message="A bot cannot have more positions than its connection may have.",
            ),
        ]

    @property
    def listed_symbols(self) -> list[str]:
        """As they are written down, in their order."""
        return [symbol for symbol in self.symbols.replace(",", " ").split() if symbol]

    when_paused = "it opens nothing new, and goes on looking after its positions."

    # What the sums over all bots need of each.
    ESSENTIALS: ClassVar = ("name", "state", "connection", "markets", "quote_currency", "symbols")

    @property
    def quotes(self) -> tuple[str, ...]:
        """The currencies in which it earns."""
        if self.markets == Markets.ALL:
            return (self.quote_currency,)
        return tuple(dict.fromkeys(map(quote_of, self.listed_symbols)))

    @property
    def market_words(self) -> str:
        if self.markets == Markets.ALL:
            return f"all in {self.quote_currency}"
        symbols = self.listed_symbols
        more = len(symbols) - SHOWN_SYMBOLS
        return ", ".join(symbols[:SHOWN_SYMBOLS]) + (f" and {more} more" if more > 0 else "")

    @property
    def barriers(self) -> Barriers:
        limit = self.time_limit_seconds
        return Barriers(
            stop_loss_pct=self.stop_loss_pct,
            take_profit_pct=self.take_profit_pct,
            trailing_delta_pct=self.trailing_delta_pct,
            trailing_activation_pct=self.trailing_activation_pct or Decimal(0),
            time_limit_seconds=None if limit is None else Decimal(limit),
        )

    @property
    def protections(self) -> Protections:
        return Protections(
            cooldown_seconds=self.cooldown_seconds,
            most_stops=self.most_stops,
            stops_window_seconds=self.stops_window_seconds,
            stops_pause_seconds=self.stops_pause_seconds,
            most_drawdown_pct=self.most_drawdown_pct,
            drawdown_window_seconds=self.drawdown_window_seconds,
            drawdown_pause_seconds=self.drawdown_pause_seconds,
            most_losses=self.most_losses,
            losses_pause_seconds=self.losses_pause_seconds,
            most_daily_loss=self.daily_loss_limit,
        )

    @property
    def strategy_settings(self) -> ScalperSettings:
        """The columns as the strategy takes them."""
        return ScalperSettings(
            order_cost=self.order_cost,
            entry_move_pct=self.entry_move_pct,
            window_seconds=self.window_seconds,
            direction=Direction(self.direction),
            max_latency_ms=self.max_latency_ms,
            max_spread_pct=self.max_spread_pct,
            min_touch_cost=self.min_touch_cost,
            min_free_quote=self.min_free_quote,
            most_positions=self.most_positions,
            most_connection_positions=self.most_connection_positions,
            through_pct=self.through_pct,
            entry_seconds=self.entry_seconds,
            exit_seconds=self.exit_seconds,
            exit_tries=self.exit_tries,
            rests_take_profit=self.rests_take_profit,
            max_book_age_seconds=self.max_book_age_seconds,
            believable_move_pct=self.price_band_pct,
            barriers=self.barriers,
            protections=self.protections,
        )
