"""A dashboard's numbers from the API alone: python docs/dashboard.py https://desk.example.com desk_1a2b…"""

import json
import sys
from collections.abc import Iterator
from typing import Any
from urllib.request import Request, urlopen

DESK, TOKEN = sys.argv[1].rstrip("/"), sys.argv[2]


def ask(path: str) -> Any:
    request = Request(DESK + path, headers={"Authorization": f"Token {TOKEN}"})  # noqa: S310 - the desk's
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - address is its user's own
        return json.load(answer)


def pages(path: str) -> Iterator[dict[str, Any]]:
    while path:
        page = ask(path)
        yield from page["results"]
        path = (page["next"] or "").removeprefix(DESK)


status = ask("/api/system/status")
print("Equity")
for sum_ in status["equity"]:
    print(f"  {sum_['total']} {sum_['currency']} ({sum_['mode']})")
print("Profit by day")
for day in ask("/api/v1/profit/"):
    print(f"  {day['day']}  {day['realised']} {day['currency']} ({day['mode']}), {day['trades']} trades")
print("Open orders")
for order in pages("/api/v1/orders/?live=true"):
    print(f"  {order['bot_name']}: {order['side']} {order['amount']} {order['symbol']} @ {order['price']}")
print("Health")
for exchange in status["exchanges"]["list"]:
    age = exchange["balance_age_seconds"]
    print(f"  {exchange['name']}: score {exchange['score']}, {exchange['state']}, balance {age} s old")
print(f"{status['workers']} workers, bots: {status['bots']}")
