"""Every setting, from the environment, with defaults that work. The README's table lists them (a test compares)."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.build import build_of
from config.database import database_of

Number = TypeVar("Number", int, float)

BASE_DIR = Path(__file__).resolve().parent.parent


def _whole(name: str, default: int) -> int:
    return _read(name, default, int, "a whole number")


def _number(name: str, default: float) -> float:
    return _read(name, default, float, "a number")


def _read(name: str, default: Number, kind: Callable[[str], Number], expected: str) -> Number:
    text = os.environ.get(name, "").strip()
    try:
        number = kind(text) if text else default
        if not 0 <= number < 2**63:
            raise ValueError
    except ValueError:
        raise ImproperlyConfigured(f"{name}: {expected} is expected, not {text!r}") from None
    return number


def _roles_by_group(name: str) -> dict[str, str | list[str]]:
    """{"group": "organization:role"}, or a list of them for a group."""
    text = os.environ.get(name, "").strip()
    try:
        found = json.loads(text) if text else {}
        given = [found[one] if isinstance(found[one], list) else [found[one]] for one in found]
        if not all(re.fullmatch(r"[\w-]+:\w+", one) for several in given for one in several):
            raise ValueError
    except (TypeError, ValueError):
        raise ImproperlyConfigured(f'{name}: {{"group": "organization:role"}} is expected, not {text!r}') from None
    return dict(found)


def _kept_secret(path: Path) -> str:
    """A secret made once and kept in the data folder, readable by its owner alone."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file.fileno())
    return path.read_text().strip()


# --- where things are
FARVIEW_DATA_DIR = Path(os.environ.get("FARVIEW_DATA_DIR", BASE_DIR / "var")).resolve()
FARVIEW_BLOB_DIR = FARVIEW_DATA_DIR / "blob"
FARVIEW_CACHE_DIR = FARVIEW_DATA_DIR / "cache"
FARVIEW_TMP_DIR = FARVIEW_DATA_DIR / "tmp"
FARVIEW_KEYS_DIR = FARVIEW_DATA_DIR / "keys"
for _folder in (FARVIEW_DATA_DIR, FARVIEW_BLOB_DIR, FARVIEW_CACHE_DIR, FARVIEW_TMP_DIR, FARVIEW_KEYS_DIR):
    try:
        _folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as _problem:
        raise ImproperlyConfigured(
            f"FARVIEW_DATA_DIR: {_folder} cannot be made ({_problem.strerror}). Name a folder that this user may write to."
        ) from _problem

for _name, _given, _why in (
    ("FARVIEW_BLOB_URL", os.environ.get("FARVIEW_BLOB_URL", ""), "stored objects lie under FARVIEW_DATA_DIR, in blob/"),
    (
        "REDIS_URL",
        os.environ.get("REDIS_URL", ""),
        "one process serves all sockets, and news goes through the database",
    ),
):
    if _given.strip():
        raise ImproperlyConfigured(f"{_name} is set, and cannot be heeded: {_why}. Start without it.")

# --- the address
FARVIEW_HOST = os.environ.get("FARVIEW_HOST", "127.0.0.1")
FARVIEW_PORT = _whole("FARVIEW_PORT", 8000)
FARVIEW_TLS_CERT = os.environ.get("FARVIEW_TLS_CERT", "")
FARVIEW_TLS_KEY = os.environ.get("FARVIEW_TLS_KEY", "")
FARVIEW_TRUSTED_PROXY = os.environ.get("FARVIEW_TRUSTED_PROXY", "")
_scheme = "https" if FARVIEW_TLS_CERT else "http"
_local_name = FARVIEW_HOST if FARVIEW_HOST not in {"0.0.0.0", "::"} else "localhost"  # nosec B104  # compared
FARVIEW_PUBLIC_URL = os.environ.get("FARVIEW_PUBLIC_URL", f"{_scheme}://{_local_name}:{FARVIEW_PORT}").rstrip("/")
_public = urlsplit(FARVIEW_PUBLIC_URL)
FARVIEW_SECURE = _public.scheme == "https"
ALLOWED_HOSTS = sorted({_public.hostname or "localhost", "127.0.0.1", "localhost", "[::1]"})
CSRF_TRUSTED_ORIGINS = [FARVIEW_PUBLIC_URL]
FARVIEW_ORIGINS = sorted(
    {FARVIEW_PUBLIC_URL, f"{_scheme}://127.0.0.1:{FARVIEW_PORT}", f"{_scheme}://localhost:{FARVIEW_PORT}"}
)
"""Exact Origins from which a browser's cookie may open a WebSocket."""
FARVIEW_CORS_ORIGINS = frozenset(filter(None, os.environ.get("FARVIEW_CORS_ORIGINS", "").replace(",", " ").split()))
for _origin in FARVIEW_CORS_ORIGINS - {"*"}:
    if _origin != "{0.scheme}://{0.netloc}".format(urlsplit(_origin)) or not _origin.startswith(
        ("http://", "https://")
    ):
        raise ImproperlyConfigured(
            f"FARVIEW_CORS_ORIGINS: origins like https://viewer.example are expected, not {_origin!r}"
        )

# --- the DICOM network
FARVIEW_DICOM_HOST = os.environ.get("FARVIEW_DICOM_HOST", "") or FARVIEW_HOST
FARVIEW_DICOM_PORT = _whole("FARVIEW_DICOM_PORT", 11112)
FARVIEW_DICOM_AE_TITLE = os.environ.get("FARVIEW_DICOM_AE_TITLE", "FARVIEW").strip()
if not (
    0 < len(FARVIEW_DICOM_AE_TITLE) <= 16 and FARVIEW_DICOM_AE_TITLE.isascii() and FARVIEW_DICOM_AE_TITLE.isprintable()
):
    raise ImproperlyConfigured("FARVIEW_DICOM_AE_TITLE: 1 to 16 ASCII letters, digits and signs are expected")
FARVIEW_DICOM_TLS = os.environ.get("FARVIEW_DICOM_TLS", "off").strip().lower()
if FARVIEW_DICOM_TLS not in ("on", "off") or (FARVIEW_DICOM_TLS == "on" and not FARVIEW_TLS_CERT):
    raise ImproperlyConfigured(
        f"FARVIEW_DICOM_TLS: on (with FARVIEW_TLS_CERT) or off is expected, not {FARVIEW_DICOM_TLS!r}"
    )
FARVIEW_DICOM_ASSOCIATIONS = _whole("FARVIEW_DICOM_ASSOCIATIONS", 50)
FARVIEW_DICOM_IDLE_SECONDS = _whole("FARVIEW_DICOM_IDLE_SECONDS", 60)
FARVIEW_MAX_PDU_BYTES = _whole("FARVIEW_MAX_PDU_BYTES", 2**20)
FARVIEW_QUARANTINE_BYTES = _whole("FARVIEW_QUARANTINE_BYTES", 2**30)

# --- reports going out, orders coming in
FARVIEW_HL7_PORT = _whole("FARVIEW_HL7_PORT", 0)
FARVIEW_HL7_TLS = os.environ.get("FARVIEW_HL7_TLS", "off").strip().lower()
if FARVIEW_HL7_TLS not in ("on", "off") or (FARVIEW_HL7_TLS == "on" and not FARVIEW_TLS_CERT):
    raise ImproperlyConfigured(
        f"FARVIEW_HL7_TLS: on (with FARVIEW_TLS_CERT) or off is expected, not {FARVIEW_HL7_TLS!r}"
    )
FARVIEW_DELIVERY_CA_FILE = os.environ.get("FARVIEW_DELIVERY_CA_FILE", "")
EMAIL_HOST = os.environ.get("FARVIEW_SMTP_HOST", "")
EMAIL_PORT = _whole("FARVIEW_SMTP_PORT", 587)
EMAIL_HOST_USER = os.environ.get("FARVIEW_SMTP_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("FARVIEW_SMTP_PASSWORD", "")
_smtp_tls = os.environ.get("FARVIEW_SMTP_TLS", "starttls").strip().lower()
if _smtp_tls not in ("starttls", "tls", "off"):
    raise ImproperlyConfigured(f"FARVIEW_SMTP_TLS: starttls, tls or off is expected, not {_smtp_tls!r}")
EMAIL_USE_TLS, EMAIL_USE_SSL = _smtp_tls == "starttls", _smtp_tls == "tls"
DEFAULT_FROM_EMAIL = os.environ.get("FARVIEW_MAIL_FROM", f"farview@{_public.hostname or 'localhost'}")

# --- DICOM peers that we call
FARVIEW_DICOM_CA_FILE = os.environ.get("FARVIEW_DICOM_CA_FILE", "")
FARVIEW_PREFETCH_STUDIES = _whole("FARVIEW_PREFETCH_STUDIES", 5)

# --- limits of what comes in; all checked before anything is allocated
FARVIEW_MAX_OBJECT_BYTES = _whole("FARVIEW_MAX_OBJECT_BYTES", 4 * 2**30)
FARVIEW_MAX_PIXELS = _whole("FARVIEW_MAX_PIXELS", 2**28)
FARVIEW_MAX_FRAMES = _whole("FARVIEW_MAX_FRAMES", 100_000)
FARVIEW_MAX_SEQUENCE_DEPTH = _whole("FARVIEW_MAX_SEQUENCE_DEPTH", 64)
FARVIEW_MAX_INFLATED_BYTES = _whole("FARVIEW_MAX_INFLATED_BYTES", 2**30)
FARVIEW_MAX_ZIP_ENTRIES = _whole("FARVIEW_MAX_ZIP_ENTRIES", 50_000)
FARVIEW_MAX_ZIP_BYTES = _whole("FARVIEW_MAX_ZIP_BYTES", 20 * 2**30)
FARVIEW_MIN_FREE_BYTES = _whole("FARVIEW_MIN_FREE_BYTES", 2 * 2**30)
FARVIEW_MIN_FREE_FRACTION = _number("FARVIEW_MIN_FREE_FRACTION", 0.05)

# --- memory and processors; 0 means "measure this machine" (the cgroup's limit, its cores)
FARVIEW_FRAME_CACHE_BYTES = _whole("FARVIEW_FRAME_CACHE_BYTES", 0)
FARVIEW_VOLUME_CACHE_BYTES = _whole("FARVIEW_VOLUME_CACHE_BYTES", 0)
FARVIEW_DECODED_CACHE_BYTES = _whole("FARVIEW_DECODED_CACHE_BYTES", 0)
FARVIEW_GPU = os.environ.get("FARVIEW_GPU", "auto").strip().lower()
if FARVIEW_GPU not in ("auto", "on", "off"):
    raise ImproperlyConfigured(f"FARVIEW_GPU: auto, on or off is expected, not {FARVIEW_GPU!r}")
FARVIEW_GPU_CACHE_BYTES = _whole("FARVIEW_GPU_CACHE_BYTES", 0)
FARVIEW_DECODE_CHILDREN = _whole("FARVIEW_DECODE_CHILDREN", 0)
FARVIEW_DECODE_BYTES = _whole("FARVIEW_DECODE_BYTES", 2 * 2**30)
FARVIEW_DECODE_SECONDS = _number("FARVIEW_DECODE_SECONDS", 20)
FARVIEW_RENDER_THREADS = _whole("FARVIEW_RENDER_THREADS", 0)
FARVIEW_DIAGNOSTIC_PIXELS = _whole("FARVIEW_DIAGNOSTIC_PIXELS", 0)

# --- access in an emergency
FARVIEW_EMERGENCY_HOURS = _number("FARVIEW_EMERGENCY_HOURS", 4)

# --- worklist
FARVIEW_ARRIVAL_QUIET_SECONDS = _whole("FARVIEW_ARRIVAL_QUIET_SECONDS", 60)
FARVIEW_WORKLIST_DAYS = _whole("FARVIEW_WORKLIST_DAYS", 0)
FARVIEW_HL7_DAYS = _whole("FARVIEW_HL7_DAYS", 365)

# --- backups made by the server itself
FARVIEW_BACKUP_DIR = os.environ.get("FARVIEW_BACKUP_DIR", "").strip()
FARVIEW_BACKUP_HOURS = _number("FARVIEW_BACKUP_HOURS", 24)
FARVIEW_BACKUP_KEEP = _whole("FARVIEW_BACKUP_KEEP", 7)
FARVIEW_BACKUP_PASSPHRASE_FILE = os.environ.get("FARVIEW_BACKUP_PASSPHRASE_FILE", "").strip()

# --- the record
FARVIEW_AUDIT_SYSLOG = os.environ.get("FARVIEW_AUDIT_SYSLOG", "").strip()
FARVIEW_AUDIT_CA_FILE = os.environ.get("FARVIEW_AUDIT_CA_FILE", "")
_collector = urlsplit(FARVIEW_AUDIT_SYSLOG)
if FARVIEW_AUDIT_SYSLOG and not (_collector.scheme in ("tls", "tcp", "udp") and _collector.hostname):
    raise ImproperlyConfigured(
        f"FARVIEW_AUDIT_SYSLOG: tls://host:6514, tcp://host:6514 or udp://host:514 is expected, not {FARVIEW_AUDIT_SYSLOG!r}"
    )

# --- Django
SECRET_KEY = os.environ.get("FARVIEW_SECRET_KEY") or _kept_secret(FARVIEW_KEYS_DIR / "secret_key")
DEBUG = False
INSTALLED_APPS = [
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "lucide",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "accounts.apps.SessionRowsConfig",
    "accounts",
    "viewer",
    "reporting",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "viewer.dicomweb.cors.cors",
    "accounts.content_security.ContentSecurityMiddleware",
    "accounts.middleware.PolicyMiddleware",  # its question comes after the user is known and before CSRF and the view
    "accounts.rates.RateMiddleware",
    "accounts.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.BearerMiddleware",
    "viewer.api.auditing.AuditMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.may",
            ],
        },
    },
]
DATABASES = {"default": database_of(os.environ.get("DATABASE_URL", "").strip(), FARVIEW_DATA_DIR)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "accounts.guessing.GuessableValidator"},
    {"NAME": "accounts.breached.BreachedValidator"},
]
_breached = os.environ.get("FARVIEW_BREACHED_PASSWORDS", "").strip()
FARVIEW_BREACHED_PASSWORDS = Path(_breached) if _breached else None
# --- second factors and what is asked again (django-allauth)
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_RATE_LIMITS = MFA_RATE_LIMITS = False  # accounts.lockout counts
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]  # recovery codes are ours: accounts.recovery_codes
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Farview"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "accounts.second_factor.SignInCode",
    "authenticate_webauthn": "accounts.second_factor.SignInPasskey",
    "reauthenticate": "accounts.second_factor.AgainCode",
    "reauthenticate_webauthn": "accounts.second_factor.AgainPasskey",
    "login_webauthn": "accounts.second_factor.PasskeyAlone",
    "add_webauthn": "accounts.second_factor.NewPasskey",
    "edit_webauthn": "accounts.second_factor.PasskeyName",
}
FARVIEW_ADMIN_REAUTH_MINUTES = _whole("FARVIEW_ADMIN_REAUTH_MINUTES", 15)
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
CSRF_FAILURE_VIEW = "accounts.views.csrf_failure"
SESSION_COOKIE_AGE = 12 * 3600
FARVIEW_IDLE_MINUTES = _number("FARVIEW_IDLE_MINUTES", 15)

# --- single sign-on with an OpenID provider
FARVIEW_OIDC_ISSUER = os.environ.get("FARVIEW_OIDC_ISSUER", "").strip()
FARVIEW_OIDC_CLIENT_ID = os.environ.get("FARVIEW_OIDC_CLIENT_ID", "").strip()
FARVIEW_OIDC_CLIENT_SECRET = os.environ.get("FARVIEW_OIDC_CLIENT_SECRET", "").strip()
FARVIEW_OIDC_NAME = os.environ.get("FARVIEW_OIDC_NAME", "").strip() or "single sign-on"
FARVIEW_OIDC_SCOPES = os.environ.get("FARVIEW_OIDC_SCOPES", "").strip() or "openid profile email"
FARVIEW_OIDC_GROUPS = os.environ.get("FARVIEW_OIDC_GROUPS", "").strip() or "groups"
FARVIEW_OIDC_ROLES = _roles_by_group("FARVIEW_OIDC_ROLES")
FARVIEW_OIDC_MFA = os.environ.get("FARVIEW_OIDC_MFA", "").strip()
_issuer = urlsplit(FARVIEW_OIDC_ISSUER)
if FARVIEW_OIDC_ISSUER and not (
    _issuer.scheme == "https" or (_issuer.scheme == "http" and _issuer.hostname in ("127.0.0.1", "localhost", "::1"))
):
    raise ImproperlyConfigured(f"FARVIEW_OIDC_ISSUER: an https address is expected, not {FARVIEW_OIDC_ISSUER!r}")
if FARVIEW_OIDC_ISSUER and not FARVIEW_OIDC_CLIENT_ID:
    raise ImproperlyConfigured("FARVIEW_OIDC_CLIENT_ID: the provider's name for this server is expected")
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on_views.Adapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = FARVIEW_SECURE
# Cookies know no ports: two servers on one machine must not sign each other's readers out.
# "__Host-": a browser takes such a cookie over TLS alone, for this host alone (RFC 6265bis 4.1.3.2).
_host_only = "__Host-" if FARVIEW_SECURE else ""
SESSION_COOKIE_NAME = f"{_host_only}farview_session_{FARVIEW_PORT}"
CSRF_COOKIE_NAME = f"{_host_only}farview_csrf_{FARVIEW_PORT}"
CSRF_COOKIE_HTTPONLY = True  # pages read the token from their forms
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if FARVIEW_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # no redirect to TLS: with a certificate this port speaks nothing else, else the proxy redirects
    "security.W021",  # no HSTS preload: to enter a name in browsers' lists is its owner's choice
]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("zh-hans", "简体中文"),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = f"{_host_only}farview_language_{FARVIEW_PORT}"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # no cookie of its own
TIME_ZONE = "UTC"
USE_TZ = True
STATICFILES_DIRS = [BASE_DIR / "static"]
FARVIEW_BUILD = build_of([BASE_DIR / "static", BASE_DIR / "templates", BASE_DIR / "requirements.txt"])
STATIC_URL = f"/static/{FARVIEW_BUILD}/"
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20
FILE_UPLOAD_TEMP_DIR = str(FARVIEW_TMP_DIR)
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.BearerToken",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Farview",
    "DESCRIPTION": "Studies, series, frames. Frames over the WebSocket: docs/protocol.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "ItemStatus": "reporting.models.orders.ItemStatus",
        "TransferState": "viewer.api.transfer_shapes.STATES",
        "ReportState": "reporting.api.report_shapes.STATES",
        "ReadingClass": "reporting.models.orders.ReadingClass",
        "CriticalCategory": "reporting.api.critical_shapes.CATEGORIES",
        "AttemptOutcome": "reporting.api.critical_shapes.OUTCOMES",
        "AttemptOutcomeTold": "reporting.api.critical_shapes.TOLD",
    },
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("FARVIEW_LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.csrf": {
            "level": "ERROR"
        },  # it names addresses, sign-in links among them; the view logs the reason
        "django.security.DisallowedHost": {
            "level": "CRITICAL"
        },  # whoever asks could fill the log with what they please
        "daphne": {"level": "WARNING"},
    },
}
