from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ReportingConfig(AppConfig):
    name = "reporting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from reporting import hooks
        from reporting.seeds import seed

        hooks.install()
        post_migrate.connect(seed, sender=self, dispatch_uid="report templates that come with Farview")
