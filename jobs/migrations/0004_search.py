"""The indexes behind ``GET /jobs?q=…``, and one for its usual order.

PostgreSQL makes a column of words by itself. SQLite's FTS5 is a table beside it that triggers keep in step; it
stores the words, not the text once more. Where a later migration makes one of the tables anew, as Django does on SQLite
to change a column, its triggers are gone: run ``follow`` for that table again (``jobs/tests/test_search_index.py``).
"""

from django.db import migrations, models

COLUMNS = {"jobs_job": "filename", "jobs_transcriptpart": "text"}

# Words in lower case with blanks between them: to_tsvector would take "team-meeting.mp3" for the name of a host. ICU
# knows all letters, also in a database that was made with the locale C. Past 1 MB to_tsvector refuses a text: a part of
# 100,000 characters is two hours of speech, and stays far below that.
PLAIN_WORDS = r"""
CREATE FUNCTION jobs_plain_words(words text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(
        translate(lower(left(words, 100000) COLLATE "{collation}"), 'ё', 'е'), '[^[:alnum:]]+', ' ', 'g'
    )
$$
"""


def plain(column):
    return f"replace(replace({column}, 'ё', 'е'), 'Ё', 'Е')"


def follow(schema_editor, table):
    """Keep the words of an SQLite table from now on. What is in it already, is not read."""
    # All names are those above; nobody's words are in these statements.
    column, index = COLUMNS[table], f"{table}_words"
    add = f"INSERT INTO {index} (rowid, words) VALUES (new.id, {plain(f'new.{column}')});"  # nosec B608
    remove = f"INSERT INTO {index} ({index}, rowid, words) VALUES ('delete', old.id, {plain(f'old.{column}')});"  # nosec B608
    for name, event, work in [
        ("added", f"INSERT ON {table}", add),
        ("changed", f"UPDATE OF {column} ON {table} WHEN old.{column} IS NOT new.{column}", remove + add),
        ("removed", f"DELETE ON {table}", remove),
    ]:
        schema_editor.execute(f"CREATE TRIGGER {index}_{name} AFTER {event} BEGIN {work} END")


def index_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        _index_on_postgresql(schema_editor)
    elif _has_fts5(schema_editor.connection):
        _index_on_sqlite(schema_editor)


def _index_on_postgresql(schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'")
        collation = "und-x-icu" if cursor.fetchone() else "default"
    schema_editor.execute(PLAIN_WORDS.format(collation=collation))
    for table, column in COLUMNS.items():
        # A column, not only an index: a query that finds most rows would make the words of all of them anew.
        words = f"strip(to_tsvector('simple', jobs_plain_words({column})))"
        schema_editor.execute(f"ALTER TABLE {table} ADD COLUMN words tsvector GENERATED ALWAYS AS ({words}) STORED")
        schema_editor.execute(f"CREATE INDEX {table}_words ON {table} USING gin (words)")


def _index_on_sqlite(schema_editor):
    for table, column in COLUMNS.items():
        index = f"{table}_words"
        schema_editor.execute(
            f"CREATE VIRTUAL TABLE {index} USING fts5(words, content='', tokenize='unicode61 remove_diacritics 0')"
        )
        read = f"SELECT id, {plain(column)} FROM {table}"  # nosec B608
        schema_editor.execute(f"INSERT INTO {index} (rowid, words) {read}")  # nosec B608
        follow(schema_editor, table)


def _has_fts5(connection):
    """Without it the text is read at each search."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
        return cursor.fetchone() is not None


def forget_words(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        for table in COLUMNS:
            schema_editor.execute(f"ALTER TABLE {table} DROP COLUMN words")
        schema_editor.execute("DROP FUNCTION jobs_plain_words")
        return
    for table in COLUMNS:
        for name in ("added", "changed", "removed"):
            schema_editor.execute(f"DROP TRIGGER IF EXISTS {table}_words_{name}")
        schema_editor.execute(f"DROP TABLE IF EXISTS {table}_words")


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_requests_tags_and_retention")]

    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["owner", "-created_at", "-id"], name="job_by_owner_and_time"),
        ),
        migrations.RunPython(index_words, forget_words),
    ]
