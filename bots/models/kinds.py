"""The kinds of bot that there are; a row of `Bot` is one of them."""

from __future__ import annotations

from bots.models.scalper_bot import ScalperBot
from bots.models.spread_bot import SpreadBot

AnyBot = SpreadBot | ScalperBot
KINDS: tuple[type[SpreadBot] | type[ScalperBot], ...] = (SpreadBot, ScalperBot)
