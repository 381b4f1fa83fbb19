"""What gunicorn serves: `gunicorn --pythonpath platform config.wsgi`."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from config import boot
from vault.redaction import redact_uncaught

# gunicorn's code for an application that does not load: it stops, where it would try any other again.
DOES_NOT_LOAD = 4

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
redact_uncaught()


def _refuse(sentence: str) -> None:
    sys.stderr.write(sentence + "\n")
    sys.exit(DOES_NOT_LOAD)


try:
    application = get_wsgi_application()
    if wrong := boot.wrong_settings():
        _refuse("\n".join(wrong))
    boot.require_database()
except boot.KNOWN as error:
    sentence = boot.explain(error)
    if sentence is None:
        raise
    _refuse(sentence)
