"""The product's web process, with its way out replaced by the lab's: `gunicorn tests.lab.wsgi`."""

from __future__ import annotations

import os

from tests.lab.manage import enter_lab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
enter_lab()

from config.wsgi import application  # noqa: E402

__all__ = ["application"]
