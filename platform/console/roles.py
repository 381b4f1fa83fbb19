"""Who may do what: four groups, which `migrate` sets right each time. Other combinations are other groups.

A client sees what is theirs and touches nothing; a viewer sees every owner's; an operator acts on it as well;
an admin may do all there is. What is new among models and permissions has to be placed here: a test asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

CLIENT, VIEWER, OPERATOR, ADMIN = "Client", "Viewer", "Operator", "Admin"

# Models whose rows belong to the owner of a connection, or of a channel.
OWNED = frozenset({
    "bots.bot", "bots.spreadbot", "bots.scalperbot", "bots.decision", "bots.order", "bots.trade",
    "bots.roundtrip", "bots.position", "bots.botevent",
    "exchanges.exchangeconnection", "exchanges.connectionhealth", "exchanges.balance",
    "exchanges.balancesnapshot", "exchanges.unexplainedchange",
    "alerts.alertchannel", "alerts.alertrule", "alerts.alertmessage",
})  # fmt: skip
# Those that are about the whole desk.
OF_THE_DESK = frozenset({"bots.killswitch", "bots.runtime", "exchanges.market", "audit.auditentry"})
# What workers keep for themselves, and what only an admin is to see.
INTERNAL = frozenset({
    "rest.apitoken", "rest.storedanswer",
    "exchanges.addressbudget", "bots.marketview", "bots.pricepoint",
    "exchanges.balancebaseline", "exchanges.paperaccount", "exchanges.paperbalance", "exchanges.paperorder",
    "exchanges.papertrade", "exchanges.papertaken", "exchanges.papertape",
})  # fmt: skip
SEES_ALL = "exchanges.view_all_connections"
OPERATES = frozenset({
    "bots.operate_bot", "bots.pull_killswitch", "exchanges.test_exchangeconnection",
    *(f"bots.{verb}_{kind}" for verb in ("add", "change", "delete") for kind in ("spreadbot", "scalperbot")),
    "exchanges.add_exchangeconnection", "exchanges.change_exchangeconnection",
    "alerts.test_alertchannel",
    *(f"alerts.{verb}_alert{row}" for verb in ("add", "change", "delete") for row in ("channel", "rule")),
})  # fmt: skip
# The switch is released by another person than the one who works with it; a token acts as its owner.
ADMINISTERS = frozenset({"bots.release_killswitch", "rest.manage_apitokens"})


def _views(models: Iterable[str]) -> set[str]:
    return {".view_".join(label.split(".")) for label in models}


PERMISSIONS: dict[str, frozenset[str]] = {
    CLIENT: frozenset(_views(OWNED)),
    VIEWER: frozenset({*_views(OWNED | OF_THE_DESK), SEES_ALL}),
    OPERATOR: frozenset({*_views(OWNED | OF_THE_DESK), SEES_ALL, *OPERATES}),
}


def set_roles() -> None:
    """The groups get what is written above and lose what is not; an admin gets every permission there is."""
    for name, permissions in PERMISSIONS.items():
        _set(name, Permission.objects.filter(_named(permissions)))
    _set(ADMIN, Permission.objects.all())


def set_roles_after_migrate(sender: AppConfig, **signal: Any) -> None:
    """Once all permissions are there: after the last app. Connected by config, which is ready after auth."""
    last = [app for app in apps.get_app_configs() if app.models_module][-1]
    if sender is last and signal["using"] == "default":
        set_roles()


def _set(name: str, permissions: Iterable[Permission]) -> None:
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(permissions)


def _named(permissions: Iterable[str]) -> Q:
    named = Q()
    for permission in permissions:
        app_label, codename = permission.split(".")
        named |= Q(content_type__app_label=app_label, codename=codename)
    return named
