import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0002_report_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='JobTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=40, verbose_name='tag')),
            ],
            options={
                'verbose_name': 'tag',
                'verbose_name_plural': 'tags',
            },
        ),
        migrations.CreateModel(
            name='MeasuredSpeed',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('engine', models.CharField(max_length=40, verbose_name='engine')),
                ('model', models.CharField(max_length=200, verbose_name='model')),
                ('audio_ms', models.FloatField(default=0, verbose_name='audio, ms')),
                ('work_ms', models.FloatField(default=0, verbose_name='work, ms')),
            ],
            options={
                'verbose_name': 'measured speed',
                'verbose_name_plural': 'measured speeds',
            },
        ),
        migrations.AddField(
            model_name='job',
            name='api_key_id',
            field=models.BigIntegerField(help_text='Empty: a login.', null=True, verbose_name='API key'),
        ),
        migrations.AddField(
            model_name='job',
            name='audio_sha256',
            field=models.CharField(blank=True, max_length=64, verbose_name='SHA-256 of the recording'),
        ),
        migrations.AddField(
            model_name='job',
            name='cancel_at',
            field=models.DateTimeField(help_text='The client is gone; it may come back.', null=True, verbose_name='cancel at'),
        ),
        migrations.AddField(
            model_name='job',
            name='delete_after',
            field=models.DurationField(help_text="Counted from the job's end.", null=True, verbose_name='delete after'),
        ),
        migrations.AddField(
            model_name='job',
            name='delete_at',
            field=models.DateTimeField(null=True, verbose_name='delete at'),
        ),
        migrations.AddField(
            model_name='job',
            name='fingerprint',
            field=models.CharField(blank=True, help_text='Of the recording and the options.', max_length=64),
        ),
        migrations.AddField(
            model_name='job',
            name='idempotency_key',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='job',
            name='receipt',
            field=models.JSONField(help_text='What was removed.', null=True, verbose_name='receipt'),
        ),
        migrations.AddField(
            model_name='job',
            name='removed_at',
            field=models.DateTimeField(null=True, verbose_name='removed at'),
        ),
        migrations.AddField(
            model_name='job',
            name='waited_for',
            field=models.BooleanField(default=False, help_text='Only wanted as long as a client waits for its answer.', verbose_name='waited for'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('delete_at__isnull', False), ('removed_at', None)), fields=['delete_at'], name='job_to_remove'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('finished_at__isnull', False), ('removed_at', None)), fields=['finished_at'], name='job_by_end'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('cancel_at__isnull', False)), fields=['cancel_at'], name='job_abandoned'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(condition=models.Q(('cancel_requested', False), ('idempotency_key', ''), ('report_only', False), ('status__in', ['pending', 'processing']), models.Q(('fingerprint', ''), _negated=True)), fields=('owner', 'fingerprint'), name='job_running_once'),
        ),
        migrations.AddConstraint(
            model_name='job',
            constraint=models.UniqueConstraint(condition=models.Q(('idempotency_key', ''), _negated=True), fields=('owner', 'idempotency_key'), name='job_once_per_key'),
        ),
        migrations.AddField(
            model_name='jobtag',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tag_rows', to='jobs.job'),
        ),
        migrations.AddField(
            model_name='jobtag',
            name='owner',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='measuredspeed',
            constraint=models.UniqueConstraint(fields=('engine', 'model'), name='speed_once_per_model'),
        ),
        migrations.AddConstraint(
            model_name='jobtag',
            constraint=models.UniqueConstraint(fields=('owner', 'name', 'job'), name='tag_once_per_job'),
        ),
    ]
