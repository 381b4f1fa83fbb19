"""The form of gunicorn's own log lines: it writes the first of them before there are settings."""

from __future__ import annotations

import logging

from config.dotenv import env_file
from config.environment import env, text
from logs.written import formatter


def of_gunicorn() -> logging.Formatter:
    """As LOG_FORMAT says; a value that is not understood is the settings' to refuse."""
    if env_file().exists():
        env.read_env(str(env_file()))
    return formatter(text("LOG_FORMAT").strip().upper())
