from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0006_the_right_to_withdraw'),
        ('payments', '0008_days_are_read'),
    ]

    operations = [
        migrations.AddField(
            model_name='order',
            name='paid_by',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=models.deletion.PROTECT, related_name='+', to='payments.payment'),
        ),
        migrations.AddField(
            model_name='order',
            name='settlement',
            field=models.CharField(blank=True, default='', max_length=16),
            preserve_default=False,
        ),
    ]
