from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("leaderboards", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="HiddenName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("guest_key", models.CharField(max_length=32, unique=True)),
                ("hidden_at", models.DateTimeField()),
            ],
        ),
    ]
