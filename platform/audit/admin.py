"""Who did what: a list to read, and the base of every other list that is only read."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from audit.models import AuditEntry
from database.paging import CappedPaginator

SEES_ALL = "exchanges.view_all_connections"


class RecordList(ChangeList):  # type: ignore[misc]  # unfold is not typed
    """Its rows are counted once, and below it only; where there are none, they are not looked for again.

    The theme asks for the addresses of all column heads in each row: each is made once.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._query_strings: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def get_query_string(
        self, new_params: dict[str, Any] | None = None, remove: list[str] | None = None
    ) -> str:
        asked = repr((new_params, remove))
        if asked not in self._query_strings:
            self._query_strings[asked] = super().get_query_string(new_params, remove)
        return self._query_strings[asked]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.full_result_count = self.result_count
        if not self.result_count:
            self.result_list = self.queryset.none()


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """Nobody adds, changes or deletes here, whatever their permissions; a list may have a million rows."""

    paginator = CappedPaginator
    list_fullwidth = True
    list_filter_submit = False
    show_full_result_count = False
    list_per_page = 30

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RecordList]:
        return RecordList

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["time", "who", "action", "target_name", "changes"]
    list_filter = ["action", "target_type", "at"]
    search_fields = ["target_name", "target_id", "action", "actor__username"]
    list_select_related = ["actor"]
    fields = ["at", "who", "action", "target_type", "target_name", "target_id", "before", "after"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """Who does not see every owner's connections sees what they did themselves."""
        entries: QuerySet[AuditEntry] = super().get_queryset(request)
        return entries if request.user.has_perm(SEES_ALL) else entries.filter(actor=request.user.pk)

    @admin.display(description="time (UTC)", ordering="at")
    def time(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="who", ordering="actor__username")
    def who(self, entry: AuditEntry) -> str:
        person = str(entry.actor) if entry.actor else "the desk"
        return f"{person}, through the {entry.through}" if entry.through else person

    @admin.display(description="changes")
    def changes(self, entry: AuditEntry) -> str:
        return changes_of(entry)


def changes_of(entry: AuditEntry) -> str:
    """From what to what; all of a new row is on the entry's own page."""
    return "; ".join(
        f"{name}: {_short(before)} → {_short(entry.after.get(name, ''))}"
        for name, before in entry.before.items()
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
