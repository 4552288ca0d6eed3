from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ViewerConfig(AppConfig):
    name = "viewer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.audit_reading import ACCESSIONS
        from viewer import tasks
        from viewer.api import shared  # noqa: F401 - ends what a link opened
        from viewer.archive.backup_schedule import backups
        from viewer.archive.reading_anew import reading_anew
        from viewer.archive.retention_schedule import retention_runs
        from viewer.audit_forwarding import forward
        from viewer.dicom.discretion import keep_values_out_of_logs
        from viewer.launch import uids_of
        from viewer.protocols import seed

        tasks.add(backups)
        tasks.add(retention_runs)
        tasks.add(reading_anew)
        keep_values_out_of_logs()
        tasks.add(forward)
        ACCESSIONS[:] = [uids_of]
        post_migrate.connect(seed, sender=self, dispatch_uid="hanging protocols that come with Farview")
