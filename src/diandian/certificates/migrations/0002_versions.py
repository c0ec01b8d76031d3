from django.db import migrations, models
from django.db.models import Q


def promised_days(apps, schema_editor):
    """Read the promised day out of the records of tonnes that are only held."""
    certificate = apps.get_model("certificates", "Certificate")
    rows = []
    for row in certificate.objects.filter(state="current").iterator(chunk_size=500):
        record = row.credential["credentialSubject"]
        if record["state"] == "held" and record["retire_by"]:
            row.promised_by = record["retire_by"]
            rows.append(row)
    certificate.objects.bulk_update(rows, ["promised_by"], batch_size=200)


class Migration(migrations.Migration):

    dependencies = [
        ("certificates", "0001_initial"),
    ]

    operations = [
        migrations.AlterField("certificate", "code", models.CharField(max_length=12)),
        migrations.AddField(
            "certificate", "promised_by", models.DateField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            "certificate",
            models.UniqueConstraint(fields=("code", "version"), name="certificate_version_once"),
        ),
        migrations.AddIndex(
            "certificate",
            models.Index(
                fields=["promised_by", "id"],
                condition=Q(state="current", promised_by__isnull=False),
                name="certificate_promised",
            ),
        ),
        migrations.RunPython(promised_days, migrations.RunPython.noop),
    ]
