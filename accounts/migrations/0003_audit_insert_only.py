from django.db import migrations

from accounts.insert_only import protect, release

TABLE = "accounts_auditevent"


def forwards(apps, schema_editor):
    protect(schema_editor.connection, TABLE)


def backwards(apps, schema_editor):
    release(schema_editor.connection, TABLE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_sign_in_and_sessions")]

    operations = [migrations.RunPython(forwards, backwards)]
