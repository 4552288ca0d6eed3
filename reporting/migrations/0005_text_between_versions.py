import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("reporting", "0004_words_of_template_choices"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="WorkingText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("based_on", models.PositiveIntegerField(default=0)),
                ("content", models.JSONField()),
                ("fills", models.JSONField(default=dict)),
                ("context", models.JSONField(default=dict)),
                ("author_username", models.CharField(max_length=150)),
                ("author_name", models.CharField(max_length=200)),
                ("author_role", models.CharField(blank=True, max_length=100)),
                ("at", models.DateTimeField()),
                ("mac", models.CharField(max_length=64)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "report",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="working_text", to="reporting.report"
                    ),
                ),
                (
                    "template_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="reporting.templateversion"
                    ),
                ),
            ],
        ),
    ]
