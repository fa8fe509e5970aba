"""Jobs that wait between the first two stages have their samples in one piece: they are decoded and cut again."""

from django.db import migrations


def probe_again(apps, schema_editor):
    between = apps.get_model("jobs", "Job").objects.filter(status__in=["pending", "processing"], stage="transcribe")
    between.update(stage="probe", token=None, lease_until=None, holder="", dispatched_at=None)


class Migration(migrations.Migration):
    dependencies = [("jobs", "0006_chunks")]

    operations = [migrations.RunPython(probe_again, migrations.RunPython.noop)]
