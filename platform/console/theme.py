"""How the admin looks and what its sidebar holds: the UNFOLD setting."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

_PRIMARY = {
    "50": "#f0fdfa", "100": "#ccfbf1", "200": "#99f6e4", "300": "#5eead4", "400": "#2dd4bf", "500": "#14b8a6",
    "600": "#0d9488", "700": "#0f766e", "800": "#115e59", "900": "#134e4a", "950": "#042f2e",
}  # fmt: skip


_SWITCHES = ("bots.view_killswitch", "bots.pull_killswitch", "bots.release_killswitch")


def _stylesheet(request: HttpRequest) -> str:
    return static("console/console.css")


def _favicon(request: HttpRequest) -> str:
    return static("console/favicon.svg")


def _item(title: str, icon: str, view: str, permission: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{view}_changelist"),
        "permission": lambda request: request.user.has_perm(permission),
    }


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Botdesk",
    "SITE_HEADER": "Botdesk",
    "SITE_SUBHEADER": "A desk for trading bots",
    "SITE_SYMBOL": "candlestick_chart",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _favicon}],
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [_stylesheet],
    "COLORS": {"primary": _PRIMARY},
    "DASHBOARD_CALLBACK": "console.dashboard.add_desk",
    "ACCOUNT": {
        "navigation": [
            {"title": "Change password", "link": reverse_lazy("account_change_password")},
            {"title": "Second factor", "link": reverse_lazy("mfa_index")},
        ]
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": "Overview", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
            _group(
                "Desk",
                _item("Spread bots", "smart_toy", "bots_spreadbot", "bots.view_spreadbot"),
                _item("Scalper bots", "bolt", "bots_scalperbot", "bots.view_scalperbot"),
                _item("Round trips", "sync_alt", "bots_roundtrip", "bots.view_roundtrip"),
                _item("Orders", "list_alt", "bots_order", "bots.view_order"),
                _item("Trades", "swap_horiz", "bots_trade", "bots.view_trade"),
                _item("Positions", "donut_small", "bots_position", "bots.view_position"),
                {
                    "title": "Kill switches",
                    "icon": "emergency_home",
                    "link": reverse_lazy("admin:bots_killswitch_changelist"),
                    "permission": lambda request: any(map(request.user.has_perm, _SWITCHES)),
                },
            ),
            _group(
                "Exchanges",
                _item(
                    "Connections",
                    "cable",
                    "exchanges_exchangeconnection",
                    "exchanges.view_exchangeconnection",
                ),
                _item("Balances", "account_balance_wallet", "exchanges_balance", "exchanges.view_balance"),
                _item(
                    "Hour by hour",
                    "monitoring",
                    "exchanges_balancesnapshot",
                    "exchanges.view_balancesnapshot",
                ),
                _item(
                    "Deposits and withdrawals",
                    "move_down",
                    "exchanges_unexplainedchange",
                    "exchanges.view_unexplainedchange",
                ),
            ),
            _group(
                "Alerts",
                _item("Channels", "campaign", "alerts_alertchannel", "alerts.view_alertchannel"),
                _item("Rules", "rule", "alerts_alertrule", "alerts.view_alertrule"),
                _item("Messages", "outbox", "alerts_alertmessage", "alerts.view_alertmessage"),
            ),
            _group(
                "Log",
                _item("Events", "notifications", "bots_botevent", "bots.view_botevent"),
                _item("Audit", "history", "audit_auditentry", "audit.view_auditentry"),
            ),
            _group(
                "People",
                _item("Users", "person", "auth_user", "auth.view_user"),
                _item("Groups", "group", "auth_group", "auth.view_group"),
                _item("API tokens", "key", "rest_apitoken", "rest.view_apitoken"),
            ),
        ],
    },
}
