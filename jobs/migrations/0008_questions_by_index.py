from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Indexes alone: SQLite makes no table anew for them, so the triggers of the search stay."""

    dependencies = [
        ('jobs', '0007_probe_again'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='job',
            name='job_waiting',
        ),
        migrations.RemoveIndex(
            model_name='job',
            name='job_work_files',
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['owner', 'status', '-created_at', '-id'], name='job_by_owner_and_status'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['owner', 'duration_ms', 'id'], name='job_by_owner_and_duration'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['owner', 'finished_at', 'id'], name='job_by_owner_and_end'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(fields=['status', '-id'], name='job_by_status'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('stage__isnull', False), ('token', None)), fields=['not_before', 'owner'], name='job_waiting'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('stage__isnull', False), ('token', None)), fields=['owner', 'id'], name='job_in_turn'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('stage__isnull', False)), fields=['owner', 'fingerprint'], name='job_unfinished'),
        ),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(condition=models.Q(('stage', None), models.Q(('pcm_key', ''), _negated=True)), fields=['id'], name='job_work_files'),
        ),
    ]
