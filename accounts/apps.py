from allauth.usersessions.apps import UserSessionsConfig
from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and the record"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts import breached, policy, sharing, signals, single_sign_on  # noqa: F401  they register themselves


class AdminConfig(admin_apps.AdminConfig):
    default = False
    default_site = "accounts.administration.Site"

    def ready(self) -> None:
        super().ready()
        from accounts import session_admin  # noqa: F401  takes the place of the library's own page


class SessionRowsConfig(UserSessionsConfig):
    """django-allauth's rows of sessions. `accounts.sessions` keeps them: by itself the library would make another row of the
    same session at each sign-in, and the row's number is what the session is held by."""

    default = False

    def ready(self) -> None:
        pass
