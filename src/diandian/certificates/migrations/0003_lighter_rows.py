from django.db import migrations, models

# A signed document is written once and read seldom; packing it the slow way took half of writing
# it. A server that was built without lz4 goes on as before.
LZ4 = """
DO $$ BEGIN
    ALTER TABLE certificates_certificate ALTER COLUMN credential SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    NULL;
END $$
"""
DEFAULT = "ALTER TABLE certificates_certificate ALTER COLUMN credential SET COMPRESSION default"


def pack_quickly(apps, schema_editor):
    """Pack documents with lz4 from now on; what is there stays as it is."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LZ4)


def pack_as_usual(apps, schema_editor):
    """Pack documents as the server does by itself."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DEFAULT)


class Migration(migrations.Migration):

    dependencies = [
        ("certificates", "0002_versions"),
    ]

    operations = [
        migrations.AlterField("certificate", "order_ref", models.CharField(max_length=80)),
        migrations.AddIndex(
            "certificate",
            models.Index(fields=["order_ref"], name="certificate_by_order"),
        ),
        migrations.RunPython(pack_quickly, pack_as_usual),
    ]
