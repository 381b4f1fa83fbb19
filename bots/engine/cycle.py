"""One pass for one bot, whatever its kind: what is looked at, what is wanted, and what is done about it."""

from __future__ import annotations

from bots.engine.account import Account
from bots.engine.funds import Funds
from bots.engine.quoting import quote
from bots.engine.scalping import scalp
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.sheet import QuotingSheet, Sheet
from bots.engine.takeover import Office
from bots.models import Bot, ScalperBot, SpreadBot


async def cycle(account: Account, sheet: Sheet, office: Office, funds: Funds) -> None:
    """Raises VenueError where the connection cannot be used; what concerns only this bot is its decision."""
    if isinstance(sheet, ScalpingSheet):
        await scalp(account, sheet, funds)
    elif isinstance(sheet, QuotingSheet):
        await quote(account, sheet, office.feeds, funds)


def sheet_of(bot: Bot) -> Sheet:
    """A new one."""
    if isinstance(bot, ScalperBot):
        return ScalpingSheet(bot=bot)
    if isinstance(bot, SpreadBot):
        return QuotingSheet(bot=bot)
    raise TypeError(f"no cycle for a {type(bot).__name__}")
