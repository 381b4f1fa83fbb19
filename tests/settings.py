"""The product's settings with keys made for tests; DATABASE_URL and REDIS_URL may name real servers."""

import os
import tempfile
from pathlib import Path

from tests.parallel import own_redis

os.environ["BOTDESK_ENV_FILE"] = os.devnull  # a developer's own .env has no say here
os.environ.pop("QUOTAGUARDSTATIC_URL", None)
os.environ.pop("DRY_RUN", None)
os.environ.pop("ALERTS_ALLOW_PRIVATE", None)
os.environ.pop("SITE_URL", None)
os.environ.pop("SUPPRESS_SINGLE_EXCHANGE_WARNING", None)
os.environ["REDIS_URL"] = own_redis(os.environ.get("REDIS_URL", ""))
os.environ["SECRET_KEY"] = "tests-" + "x" * 50
os.environ["FIELD_ENCRYPTION_KEYS"] = "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE="

from config.settings import *  # noqa: F403
from config.settings import DATABASES

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads have connections of their own.
    _file = Path(tempfile.gettempdir()) / f"botdesk-test-{os.getpid()}.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": str(_file)}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Another process would not see what a test has not committed; those that do commit switch it on.
CHECKUP_APART = False
KILL_APART = False
