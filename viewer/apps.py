from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ViewerConfig(AppConfig):
    name = "viewer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from viewer.dicom.discretion import keep_values_out_of_logs
        from viewer.protocols import seed

        keep_values_out_of_logs()
        post_migrate.connect(seed, sender=self, dispatch_uid="hanging protocols that come with Farview")
