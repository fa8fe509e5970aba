"""Check the configuration, bring the database up to date, and say how to get an administrator where there is none."""

import logging
import os
import sys

import django
from django.core.management import call_command
from django.core.management.base import BaseCommand

logger = logging.getLogger("prepare")


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "transcribify.settings.development")
    django.setup()
    if "--skip-checks" not in arguments:
        BaseCommand().check()
    migrate()
    say_how_to_get_an_administrator()


def migrate() -> None:
    from django.db import connection  # noqa: PLC0415 - settings must be there first
    from django.db.migrations.executor import MigrationExecutor  # noqa: PLC0415

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        logger.info("database: %d migrations to run", len(plan))
        call_command("migrate", interactive=False, verbosity=0)


def say_how_to_get_an_administrator() -> None:
    from accounts.models import User  # noqa: PLC0415

    if not User.objects.filter(is_superuser=True).exists():
        logger.info("nobody may use the admin yet. Make an administrator: ./run manage createsuperuser")


if __name__ == "__main__":
    main(sys.argv[1:])
