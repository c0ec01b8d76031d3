from django.db import migrations

# What is booked when a payment becomes an order's price: at once, or by people who decided.
BECAME_THE_PRICE = ("capture", "allocated")


def find_prices(apps, schema_editor):
    """Write what the books say: the payment that was booked as each order's price."""
    Payment = apps.get_model("payments", "Payment")
    Order = apps.get_model("orders", "Order")
    entries = apps.get_model("orders", "OrderEntry").objects.filter(
        journal__kind__in=BECAME_THE_PRICE
    )
    booked = entries.order_by("journal_id").values_list("order_id", "journal__source_ref")
    number_of = {order_id: ref.split(":")[1] for order_id, ref in booked.iterator()}
    for order_id, number in number_of.items():
        payment = Payment.objects.get(payment_no=number)
        Order.objects.filter(id=order_id).update(
            paid_by=payment, settlement=payment.settlement
        )


class Migration(migrations.Migration):

    dependencies = [
        ('ledger', '0003_rows_written_in_bulk'),
        ('orders', '0007_the_payment_that_is_the_price'),
    ]

    operations = [migrations.RunPython(find_prices, migrations.RunPython.noop)]
