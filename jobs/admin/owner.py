"""Deleting users: their jobs go first, with recordings and transcripts, through the service that cancels what runs.

The admin of users lives in ``accounts``, which knows nothing of jobs; so the users' admin is registered again here,
with deletion taught to it. A user is deactivated first, so that nothing new comes in meanwhile. Files do not come back
with a rollback, so no transaction spans all of it: whatever interrupts it, deleting again goes on from there.
"""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from accounts.admin import UserAdmin
from accounts.models import User
from jobs import services
from jobs.models import Job

BATCH = 100

admin.site.unregister(User)


@admin.register(User)
class OwnerAdmin(UserAdmin):
    """The users' admin, where deleting a user deletes its jobs properly."""

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        delete_owner(owner=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        for owner in queryset:
            delete_owner(owner=owner)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Users and how many jobs go with them; Django would read all of their rows to list them."""
        owners = list(objs)
        jobs = Job.objects.filter(owner__in=owners).count()
        counts = {self.opts.verbose_name_plural: len(owners), Job._meta.verbose_name_plural: jobs}
        missing = {self.opts.verbose_name for owner in owners if not self.has_delete_permission(request, owner)}
        if jobs and not request.user.has_perm("jobs.delete_job"):
            missing.add(Job._meta.verbose_name)
        return [str(owner) for owner in owners], counts, missing, []


def delete_owner(*, owner: User) -> None:
    """Remove a user with all jobs, their files included. The ledger stays."""
    User.objects.filter(pk=owner.pk).update(is_active=False)
    while not _delete_without_jobs(owner):
        for job in Job.objects.filter(owner=owner).order_by("pk")[:BATCH]:
            services.delete_job(job=job)


def _delete_without_jobs(owner: User) -> bool:
    """A request that was under way may still add a job: the lock holds it off while this looks and deletes."""
    with transaction.atomic():
        User.objects.select_for_update().filter(pk=owner.pk).first()
        if Job.objects.filter(owner=owner).exists():
            return False
        owner.delete()
    return True
