import jobs.models.transcript_part
from django.db import migrations, models


class Migration(migrations.Migration):
    """How segments are written; the column is the same. Nothing is to be done in the database, where SQLite would make
    the table anew and lose the triggers of the search."""

    dependencies = [("jobs", "0004_search")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="transcriptpart",
                    name="segments",
                    field=models.JSONField(encoder=jobs.models.transcript_part.PlainJSONEncoder),
                )
            ]
        )
    ]
