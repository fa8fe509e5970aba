"""Who is there to work: the worker slots, to read."""

from django.contrib import admin
from django.db.models import BooleanField, Case, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.long_lists import LongListMixin, ReadOnlyMixin
from jobs.bell import SLOT_ALIVE_SECONDS
from jobs.clock import from_now
from jobs.models import WorkerSlot


@admin.register(WorkerSlot)
class WorkerSlotAdmin(LongListMixin, ReadOnlyMixin):
    """A slot that has been silent for longer than ``SLOT_ALIVE_SECONDS`` counts as gone."""

    list_display = ("name", "queues", "engine", "seen_at", "is_alive")
    list_display_links = None
    fields = ("name", "queues", "engine", "seen_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkerSlot]:
        """By the database's clock, as everything that asks for live slots."""
        seen_lately = When(seen_at__gte=from_now(-SLOT_ALIVE_SECONDS), then=Value(True))
        alive = Case(seen_lately, default=Value(False), output_field=BooleanField())
        return super().get_queryset(request).annotate(alive=alive)

    @admin.display(description=_("alive"), boolean=True)
    def is_alive(self, slot: WorkerSlot) -> bool:
        return bool(getattr(slot, "alive", False))
