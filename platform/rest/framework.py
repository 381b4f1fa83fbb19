"""What the packages behind the API are told: nothing here is an operator's to choose."""

from __future__ import annotations

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest.authentication.TokenDoor",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest.permissions.MayAsk"],
    "DEFAULT_THROTTLE_CLASSES": ["rest.throttles.PerToken"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest.pagination.ByLimit",
    "DEFAULT_SCHEMA_CLASS": "rest.schema.DeskSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
}
DRF_STANDARDIZED_ERRORS: dict[str, Any] = {
    "EXCEPTION_HANDLER_CLASS": "rest.errors.OneShape",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,  # a traceback is for the log
}
REST_KNOX = {"TOKEN_PREFIX": "desk_"}  # known by scanners for secrets, and by our redaction
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Botdesk",
    "VERSION": "1",
    "DESCRIPTION": "A desk for trading bots. Decimals are text, times are UTC. Each token sees what its "
    "owner sees; what acts needs a token of the scope “control” and the permission of the admin's button.",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "Mode": "exchanges.models.Mode",
        "BookMode": [("live", "live"), ("paper", "paper"), ("dry run", "dry run")],
        "OrderState": "bots.lifecycle.OrderState",
        "Breaker": "exchanges.models.ConnectionHealth.STATES",
        "BotState": "bots.models.BotState",
        "TripState": "bots.models.TripState",
    },
}
CORS: dict[str, Any] = {
    "urls": r"^/api/",
    "headers": ["accept", "authorization", "content-type", "idempotency-key", "if-none-match"],
    "exposed": ["ETag", "Retry-After", "Idempotent-Replayed", "Content-Disposition"],
}
