"""Django itself: applications, database, storage, the web side. Speech and jobs are in ``jobs.py``."""

from datetime import timedelta

from transcribify.schema.text import DESCRIPTION, TAGS, VERSION
from transcribify.settings.environment import BASE_DIR, DATA_DIR, env

# Show tracebacks in the browser. Never where others can reach the server; production refuses it.
DEBUG = env.bool("DEBUG", default=False)

# Host names under which the service is reached, comma-separated.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# Origins (with scheme) that may send forms, for the admin behind a proxy: https://transcribe.example.org
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "transcribify",
    "accounts",
    "jobs",
    "reports",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "transcribify.body_limits.SmallBodies",
    "django.middleware.security.SecurityMiddleware",
    "transcribify.health.HealthChecks",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "transcribify.urls"
WSGI_APPLICATION = "transcribify.wsgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# sqlite:///path or postgres://user:password@host:port/name. Default: a SQLite file in DATA_DIR.
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'transcribify.sqlite3'}")}

# Keep a pool of PostgreSQL connections in this process. For the web process; workers hold one each without it.
DATABASE_POOL = env.bool("DATABASE_POOL", default=False)

DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # A transaction that begins with a read and then writes is refused at once by SQLite unless it is IMMEDIATE.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5}
    if DATABASE_POOL:
        DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 16, "timeout": 10}
        # A connection that died while it lay in the pool is found out before a request gets it.
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [{"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"}]
AUTHENTICATION_BACKENDS = ["accounts.backends.CountedBackend"]
LOGIN_URL = "rest_framework:login"
LOGIN_REDIRECT_URL = "/jobs"

# Who may create an account at POST /auth/register: open or closed (then staff does it in the admin).
REGISTRATION = env.str("REGISTRATION", default="open")

# Wrong passwords for one account, and from one address (an IPv6 network of /64), in one window; 0 means no limit.
LOGIN_ATTEMPTS_PER_ACCOUNT = env.int("LOGIN_ATTEMPTS_PER_ACCOUNT", default=10)
LOGIN_ATTEMPTS_PER_ADDRESS = env.int("LOGIN_ATTEMPTS_PER_ADDRESS", default=50)

# How long such a window is, in minutes, from its first attempt.
LOGIN_WINDOW_MINUTES = env.int("LOGIN_WINDOW_MINUTES", default=15)

# The audio budget of a new account in seconds; 0 means unlimited. Changed per user in the admin.
AUDIO_LIMIT_SECONDS = env.int("AUDIO_LIMIT_SECONDS", default=1800)

# How long an access token is valid, in minutes.
ACCESS_TOKEN_EXPIRE_MINUTES = env.int("ACCESS_TOKEN_EXPIRE_MINUTES", default=24 * 60)

# How long a refresh token is valid, in days.
REFRESH_TOKEN_EXPIRE_DAYS = env.int("REFRESH_TOKEN_EXPIRE_DAYS", default=30)

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=ACCESS_TOKEN_EXPIRE_MINUTES),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=REFRESH_TOKEN_EXPIRE_DAYS),
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
    "CHECK_REVOKE_TOKEN": True,  # nosec B105 # a switch
    "UPDATE_LAST_LOGIN": True,
}

# How many proxies of yours stand in front and add to X-Forwarded-For; 0 means that the header is not believed.
NUM_PROXIES = env.int("NUM_PROXIES", default=0)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": [
        "jobs.api.renderers.SplicingJSONRenderer",
        "rest_framework.renderers.BrowsableAPIRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.negotiation.Negotiation",
    "DEFAULT_PARSER_CLASSES": [
        "transcribify.json_bodies.ShallowJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_SCHEMA_CLASS": "transcribify.schema.operations.DescribedView",
    "EXCEPTION_HANDLER": "transcribify.api_errors.answer_error",
    "NUM_PROXIES": NUM_PROXIES,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Transcribify",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.0",
    "TAGS": [{"name": name, "description": description} for name, description in TAGS.items()],
    # Public, and not part of what it describes.
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    # A session is for the browsable pages; programs send a key or a token.
    "AUTHENTICATION_WHITELIST": ["accounts.authentication.BearerAuthentication"],
    # Forms are taken, too, for the browsable pages; an upload says itself that it is one.
    "PARSER_WHITELIST": ["transcribify.json_bodies.ShallowJSONParser"],
    # Files go in as bytes, and passwords do not come out.
    "COMPONENT_SPLIT_REQUEST": True,
    # Swagger UI from our own files; its badge would send the address of the description to a server of others.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "docExpansion": "list"},
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ru", "Русский")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True

# The time zone of the admin's pages; the API answers in UTC.
TIME_ZONE = env.str("TIME_ZONE", default="UTC")

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"

SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
