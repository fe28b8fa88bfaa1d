from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0004_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="audit_years",
            field=models.PositiveSmallIntegerField(default=0),
        ),
    ]
