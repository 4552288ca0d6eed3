from django.db import migrations

from accounts.insert_only import protect, release

TABLES = (
    "reporting_reportversion",
    "reporting_evidence",
    "reporting_criticalattempt",
    "reporting_itemevent",
    "reporting_templateversion",
    "reporting_templateevent",
)


def forwards(apps, schema_editor):
    for table in TABLES:
        protect(schema_editor.connection, table)


def backwards(apps, schema_editor):
    for table in TABLES:
        release(schema_editor.connection, table)


class Migration(migrations.Migration):
    dependencies = [("reporting", "0001_first")]

    operations = [migrations.RunPython(forwards, backwards)]
