"""Every setting, from the environment (and `.env`) only. Mistakes are found at boot: see checks.py."""

import warnings

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from config.dotenv import ROOT, env_file
from config.environment import choice, database, env, flag, proxy, required, text, whole_number, words
from console.theme import UNFOLD as UNFOLD  # the admin's look
from logs.written import FORMATS, logging_config
from rest.framework import CORS
from rest.framework import DRF_STANDARDIZED_ERRORS as DRF_STANDARDIZED_ERRORS
from rest.framework import REST_FRAMEWORK as REST_FRAMEWORK
from rest.framework import REST_KNOX as REST_KNOX
from rest.framework import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from vault.redaction import remember

BASE_DIR = ROOT
if env_file().exists():
    env.read_env(str(env_file()))

# --- Keys
SECRET_KEY = required("SECRET_KEY", "`python manage.py quickstart` writes a .env with fresh keys.")
SECRET_KEY_FALLBACKS = words("SECRET_KEY_FALLBACKS")
# The first key encrypts, all decrypt; vault.checks says what is wrong with them.
FIELD_ENCRYPTION_KEYS = words("FIELD_ENCRYPTION_KEYS")

# --- Web
DEBUG = flag("DEBUG", default=False)
ALLOWED_HOSTS = words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]"))
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
# Behind Heroku's and Railway's routers TLS ends before us.
HTTPS_ONLY = flag("HTTPS_ONLY", default=False)
SECURE_SSL_REDIRECT = HTTPS_ONLY
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
# Probes come from beside the router, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^(livez|readyz|healthz|metrics)$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
# What the other names of the domain do is for its owner to say, not for the desk.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
X_FRAME_OPTIONS = "DENY"
# The theme computes attributes (Alpine) and writes styles into its pages; scripts come from files of ours.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SESSION_COOKIE_AGE = 12 * 3600

# --- Sign-in: allauth's pages, by user name and password; the second factor rests in the vault.
REQUIRE_MFA = choice("REQUIRE_MFA", "OFF", ("OFF", "STAFF", "ALL"))
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "admin:index"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_ADAPTER = "people.adapters.DeskAccountAdapter"
ACCOUNT_FORMS = {"login": "people.login_form.DeskLoginForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True  # for SESSION_COOKIE_AGE
# Failed tries: by address, and by address and user name.
ACCOUNT_RATE_LIMITS = {"login_failed": "20/5m/ip,5/5m/key"}
# The router of the platform writes the client's address behind those that the client itself claims.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if HTTPS_ONLY else 0
MFA_ADAPTER = "people.adapters.DeskMFAAdapter"
MFA_FORMS = {
    "activate_totp": "people.second_factor_secrets.SealedActivateTOTPForm",
    "authenticate": "people.code_forms.AuthenticateForm",
    "reauthenticate": "people.code_forms.ReauthenticateForm",
    "login_webauthn": "people.passkey_forms.LoginForm",
    "authenticate_webauthn": "people.passkey_forms.AuthenticateForm",
    "reauthenticate_webauthn": "people.passkey_forms.ReauthenticateForm",
    "add_webauthn": "people.passkey_forms.AddForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Botdesk"
MFA_TOTP_TOLERANCE = 1  # a clock may be half a minute off
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not HTTPS_ONLY  # browsers themselves allow it on localhost only

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

INSTALLED_APPS = [
    "console",
    "unfold.apps.BasicAppConfig",
    "console.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_q",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "knox",
    "config",
    "vault",
    "audit",
    "alerts",
    "people",
    "rest",
    "exchanges",
    "bots",
    "api",
]

MIDDLEWARE = [
    "logs.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "people.second_factor.SecondFactorMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "rest.middleware.ApiMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "console.context.dry_run",
                "console.context.kill_switches",
                "console.context.account_pages",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
# Until collectstatic has run the finders serve, and whitenoise need not complain.
warnings.filterwarnings("ignore", "No directory at", UserWarning)

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Database
DATABASES = {"default": database("DATABASE_URL", folder=BASE_DIR)}
_database = DATABASES["default"]
_database["CONN_HEALTH_CHECKS"] = True
_database["CONN_MAX_AGE"] = whole_number("CONN_MAX_AGE", 60, least=0)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    # A writer waits for the other; IMMEDIATE takes the lock at the start, so that none fails half-way.
    _database["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    _database.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)

# --- The way out: the proxy of every connection that names none of its own and does not say “direct”.
DEFAULT_PROXY = proxy("QUOTAGUARDSTATIC_URL")

# --- Tasks
REDIS_URL = text("REDIS_URL").strip()
# Heroku's has TLS with a certificate that nobody vouches for.
_verifies = flag("REDIS_VERIFY_TLS", default=True) or not REDIS_URL.startswith("rediss:")
REDIS_OPTIONS = {} if _verifies else {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
SHIFT_SECONDS = whole_number("SHIFT_SECONDS", 60)
WORKERS = whole_number("WORKERS", 2)
Q_CLUSTER = {
    "name": "botdesk",
    "workers": WORKERS,
    "queue_limit": WORKERS,
    "timeout": SHIFT_SECONDS + 60,
    "retry": SHIFT_SECONDS + 120,
    "max_attempts": 1,
    "catch_up": False,
    "save_limit": 250,
    "label": "Tasks",
    "guard_cycle": 0.5,
    **({"broker_class": "bots.engine.broker.PatientRedis"} if REDIS_URL else {"orm": "default", "poll": 0.2}),
}

# --- Cache: people's tries and the API's requests are counted in it. Without Redis each web process counts
# for itself.
_LOCAL_CACHE = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "botdesk"}
_SHARED_CACHE = {
    "BACKEND": "config.shared_cache.SharedCache",
    "LOCATION": REDIS_URL,
    "KEY_PREFIX": "botdesk",
    "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1, **REDIS_OPTIONS},
}
CACHES = {"default": _SHARED_CACHE if REDIS_URL else _LOCAL_CACHE}

# --- API
API_READS_PER_MINUTE = whole_number("API_READS_PER_MINUTE", 600)
API_ACTS_PER_MINUTE = whole_number("API_ACTS_PER_MINUTE", 60)
# Pages of other sites that may ask it, with a token; cookies are never taken from them.
CORS_ALLOWED_ORIGINS = words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = CORS["urls"]
CORS_ALLOW_HEADERS = CORS["headers"]
CORS_EXPOSE_HEADERS = CORS["exposed"]
KNOX_TOKEN_MODEL = "rest.ApiToken"  # noqa: S105 - a model's name
MIGRATION_MODULES = {"knox": None}  # its own tables are not used

# --- What the desk may do: play money only, whatever the mode of a connection.
DRY_RUN = flag("DRY_RUN", default=False)
SUPPRESS_SINGLE_EXCHANGE_WARNING = flag("SUPPRESS_SINGLE_EXCHANGE_WARNING", default=False)

# --- Tests of connections: in a process of their own, so that the web process never loads ccxt.
MANAGE_FILE = BASE_DIR / "manage.py"
CHECKUP_APART = True
KILL_APART = True  # so are the cancels of a kill switch that is pulled on a page

# --- Messages to people
# Where the desk is reached, for links in messages.
SITE_URL = text("SITE_URL").strip().rstrip("/")
# Whether a channel may lead to a private address: where the receiver is in the desk's own network.
ALERTS_ALLOW_PRIVATE = flag("ALERTS_ALLOW_PRIVATE", default=False)

# --- Logs
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_config(
    level=choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    form=choice("LOG_FORMAT", "TEXT", FORMATS),
)
# Mistakes of the program are told there too, if anywhere: see logs.sentry.
SENTRY_DSN = text("SENTRY_DSN").strip()
for _secret in (
    SECRET_KEY,
    *SECRET_KEY_FALLBACKS,
    *FIELD_ENCRYPTION_KEYS,
    _database.get("PASSWORD", ""),
    SENTRY_DSN,
):
    remember(str(_secret))
