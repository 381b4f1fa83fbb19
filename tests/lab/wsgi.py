"""The product's web process, with its way out replaced by the lab's: `gunicorn tests.lab.wsgi`."""

from __future__ import annotations

import os

from django.conf import settings

from tests.lab import manage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
manage.enter_lab()
settings.MANAGE_FILE = manage.__file__  # what the web process starts is in the lab, too

from config.wsgi import application  # noqa: E402

__all__ = ["application"]
