"""The pages of the desk, by name: the path of each, and the words of the link there that is followed."""

from __future__ import annotations

PAGES = {
    "dashboard": ("/admin/", ""),
    "spread-bots": ("/admin/bots/spreadbot/", ""),
    "spread-bot": ("/admin/bots/spreadbot/", "Demo BTC/USDT"),
    "spread-bot-new": ("/admin/bots/spreadbot/add/", ""),
    "scalper-bots": ("/admin/bots/scalperbot/", ""),
    "scalper-bot": ("/admin/bots/scalperbot/", "Demo scalper"),
    "scalper-bot-new": ("/admin/bots/scalperbot/add/", ""),
    "round-trips": ("/admin/bots/roundtrip/", ""),
    "orders": ("/admin/bots/order/", ""),
    "trades": ("/admin/bots/trade/", ""),
    "positions": ("/admin/bots/position/", ""),
    "kill-switch": ("/admin/bots/killswitch/pull/?for=desk", ""),
    "connections": ("/admin/exchanges/exchangeconnection/", ""),
    "connection": ("/admin/exchanges/exchangeconnection/", "Demo"),
    "connection-new": ("/admin/exchanges/exchangeconnection/add/", ""),
    "balances": ("/admin/exchanges/balance/", ""),
    "balances-by-hour": ("/admin/exchanges/balancesnapshot/", ""),
    "alert-channel-new": ("/admin/alerts/alertchannel/add/", ""),
    "events": ("/admin/bots/botevent/", ""),
    "audit": ("/admin/audit/auditentry/", ""),
    "users": ("/admin/auth/user/", ""),
    "roles": ("/admin/auth/group/", ""),
    "api": ("/api/docs/", ""),
    "second-factor": ("/accounts/2fa/", ""),
    "password": ("/accounts/password/change/", ""),
}
# Lists that are empty at first: looked at, and not pictured.
EMPTY_LISTS = [
    "/admin/bots/killswitch/",
    "/admin/alerts/alertchannel/",
    "/admin/alerts/alertrule/",
    "/admin/alerts/alertmessage/",
    "/admin/rest/apitoken/",
]
