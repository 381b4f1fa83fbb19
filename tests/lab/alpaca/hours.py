"""The regular session of the US stock exchanges: 9:30 to 16:00 in New York, Monday to Friday."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
OPENS, CLOSES = time(9, 30), time(16)
SATURDAY = 5


@dataclass
class Hours:
    """is_open is set by hand, since tests run at any hour; the lab's exchanges have no holidays."""

    is_open: bool = True

    def next_open(self, now: datetime) -> datetime:
        return _next(now, OPENS)

    def next_close(self, now: datetime) -> datetime:
        return _next(now, CLOSES)


def _next(now: datetime, at: time) -> datetime:
    moment = datetime.combine(now.astimezone(NEW_YORK).date(), at, NEW_YORK)
    while moment <= now or moment.weekday() >= SATURDAY:
        moment = datetime.combine(moment.date() + timedelta(days=1), at, NEW_YORK)
    return moment
