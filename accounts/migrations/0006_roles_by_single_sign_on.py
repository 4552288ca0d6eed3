from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_access_and_sharing"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="by_provider",
            field=models.BooleanField(default=False, editable=False, verbose_name="by single sign-on"),
        ),
    ]
