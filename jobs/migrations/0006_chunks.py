"""Recordings are cut into chunks that workers recognise side by side; what each owner had of the workers is counted."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('jobs', '0005_segments_as_they_are'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveField(
            model_name='job',
            name='speech',
        ),
        migrations.AddField(
            model_name='job',
            name='help_rung_at',
            field=models.DateTimeField(help_text='Empty until engine, model and language are known.', null=True, verbose_name='helpers last rung'),
        ),
        migrations.AlterField(
            model_name='job',
            name='pcm_key',
            field=models.CharField(blank=True, help_text="Of decoded samples, while the job runs: what its chunks' keys begin with.", max_length=200),
        ),
        migrations.CreateModel(
            name='AudioShare',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slice_number', models.BigIntegerField(help_text='Ten minutes each, counted from 1970.', verbose_name='slice')),
                ('audio_ms', models.BigIntegerField(default=0, verbose_name='audio, ms')),
                ('owner', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'audio share',
                'verbose_name_plural': 'audio shares',
                'indexes': [models.Index(fields=['slice_number'], name='share_by_slice')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'slice_number'), name='share_once_per_slice')],
            },
        ),
        migrations.CreateModel(
            name='Chunk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='position')),
                ('start_sample', models.BigIntegerField(verbose_name='first sample')),
                ('end_sample', models.BigIntegerField(verbose_name='sample after the last')),
                ('speech', models.JSONField(default=list, help_text='[start, end] of each stretch of speech, seconds of the chunk.')),
                ('token', models.UUIDField(editable=False, null=True)),
                ('holder', models.CharField(blank=True, max_length=120, verbose_name='held by')),
                ('lease_until', models.DateTimeField(help_text="Of a helper. Empty while the job's own holder has it: then the job's lease is this one's.", null=True)),
                ('claims', models.PositiveIntegerField(default=0, help_text='How often a worker has begun it.', verbose_name='begun')),
                ('crashes', models.PositiveIntegerField(default=0, verbose_name='crashes')),
                ('done_samples', models.BigIntegerField(default=0, verbose_name='samples done')),
                ('work_ms', models.BigIntegerField(default=0, verbose_name='work, ms')),
                ('first_id', models.PositiveBigIntegerField(default=0, help_text='The id of its first segment.')),
                ('segments', models.PositiveIntegerField(default=0, verbose_name='segments')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='finished at')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='chunks', to='jobs.job')),
            ],
            options={
                'verbose_name': 'chunk',
                'verbose_name_plural': 'chunks',
                'ordering': ['position'],
                'indexes': [models.Index(condition=models.Q(('token__isnull', False)), fields=['job'], name='chunk_held')],
                'constraints': [models.UniqueConstraint(fields=('job', 'position'), name='chunk_order')],
            },
        ),
    ]
