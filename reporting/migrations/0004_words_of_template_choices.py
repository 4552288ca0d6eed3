from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reporting", "0003_hl7_peers_and_claims")]

    operations = [
        migrations.AddField(
            model_name="templatechoice",
            name="words",
            field=models.CharField(blank=True, max_length=200),
        )
    ]
