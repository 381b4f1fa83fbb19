"""gunicorn's settings: `gunicorn --pythonpath platform --config platform/config/gunicorn.py config.wsgi`.

The web process waits for the database, not for venues: a few threads carry it.
"""

import os

workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 15
accesslog = None
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112 - heartbeats, no data

# Its own loggers do not propagate: without this they would write past the redaction.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"redacting": {"()": "config.log_format.of_gunicorn"}},
    "handlers": {"stream": {"()": "vault.redaction.RedactingHandler", "formatter": "redacting"}},
    "root": {"handlers": ["stream"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"handlers": ["stream"], "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": False},
    },
}
