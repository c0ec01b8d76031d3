from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0011_corrected_disputes'),
    ]

    operations = [
        migrations.AddField(
            model_name='refund',
            name='share_waits',
            field=models.BooleanField(default=False),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(condition=models.Q(('share_waits', True)), fields=['id'], name='refund_share_waits'),
        ),
    ]
