"""Orders claim their lines from the hold on, no longer from the retirement: claims for those alive.

Footprints of scenes whose organiser owns the travel learn their parts.
"""

from django.db import migrations

_TRAVEL = {"travel", "local", "stay"}
_LIVE = ("awaiting_payment", "paid", "review")


def own_travel(apps, schema_editor):
    rows = apps.get_model("footprints", "Footprint").objects.filter(
        scene__travel_owner="organiser"
    )
    for row in rows.iterator(chunk_size=500):
        lines = row.estimate["lines"]
        row.organiser_pct = 100
        row.host_g = sum(line["mass_g"] for line in lines if line["category"] in _TRAVEL)
        row.save(update_fields=["organiser_pct", "host_g"])


def claim(apps, schema_editor):
    line_claim = apps.get_model("footprints", "LineClaim")
    orders = apps.get_model("orders", "Order").objects.filter(
        state__in=_LIVE, footprint__isnull=False, footprint__claims__isnull=True
    )
    for order in orders.select_related("footprint").iterator(chunk_size=500):
        line_claim.objects.bulk_create(
            line_claim(
                footprint=order.footprint,
                line_key=line["key"],
                claimant_ref=f"order:{order.id}",
                mass_g=line["mass_g"],
                claimed_at=order.created_at,
            )
            for line in order.footprint.estimate["lines"]
            if line["mass_g"]
        )


class Migration(migrations.Migration):

    dependencies = [
        ("footprints", "0002_who_owns_a_gram"),
        ("orders", "0003_holders"),
        ("scenes", "0003_who_owns_travel"),
    ]

    operations = [
        migrations.RunPython(own_travel, migrations.RunPython.noop),
        migrations.RunPython(claim, migrations.RunPython.noop),
    ]
