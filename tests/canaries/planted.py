"""The secrets as they are planted, and where to look for them."""

from __future__ import annotations

import traceback
from typing import Any

from django.db import connection as database

from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.services import SecretName
from tests.canaries import (
    API_KEY,
    API_SECRET,
    PASSPHRASE,
    PASSWORD,
)
from vault.secret import Secret

SECRETS: dict[SecretName, Secret] = {
    "api_key": Secret(API_KEY),
    "api_secret": Secret(API_SECRET),
    "passphrase": Secret(PASSPHRASE),
    "proxy_password": Secret(PASSWORD),
}


def change_secret(connection: ExchangeConnection, **secrets: str) -> None:
    changes: Any = {name: Secret(secret) for name, secret in secrets.items()}
    services.update_connection(connection=connection, actor=None, secrets=changes)


def rows() -> str:
    """Every row of every table, as text."""
    with database.cursor() as cursor:
        lines = []
        for table in database.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {database.ops.quote_name(table)}")
            lines += [f"{table} {row!r}" for row in cursor.fetchall()]
    return "\n".join(lines)


def story(error: BaseException | None) -> str:
    """All that could be written of an error: text, repr, attributes, traceback, and those behind it."""
    told = []
    while error is not None:
        told += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        told += traceback.format_exception(error)
        error = error.__cause__ or error.__context__
    return "\n".join(told)
