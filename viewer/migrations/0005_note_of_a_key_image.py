from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("viewer", "0004_grant")]

    operations = [
        migrations.AddField("keyimage", "changed_at", models.DateTimeField(null=True)),
        migrations.AddField("keyimage", "version", models.PositiveIntegerField(default=1)),
    ]
