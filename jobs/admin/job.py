"""The admin of jobs: read everything, requeue, cancel, delete. No column of a job is written here."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from accounts.durations import clock_time
from accounts.long_lists import LongChangeList, LongListMixin, moment
from jobs import services
from jobs.admin import moves
from jobs.admin.filters import OWNER_PARAMETER, EngineFilter, OwnerFilter, owner_form
from jobs.admin.job_page import page_of
from jobs.admin.search import NEWEST_SEARCHED, search_jobs
from jobs.models import Job

LIST_COLUMNS = (
    "filename", "owner__email", "status", "stage", "progress", "duration_ms", "engine", "model", "language",
    "created_at", "finished_at",
)  # fmt: skip
NOBODY = "–"


class JobChangeList(LongChangeList):
    """Reads the columns that the list shows: others, like the stretches of speech, are long."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Job]:
        return super().get_queryset(request, exclude_parameters).only(*LIST_COLUMNS)


@admin.register(Job)
class JobAdmin(LongListMixin):
    """Who may change jobs may requeue and cancel them; nobody edits their columns."""

    list_display = (
        "id", "filename", "owner_email", "state", "percent", "duration", "engine_and_model", "language_code",
        "created", "finished",
    )  # fmt: skip
    list_display_links = ("id", "filename")
    list_select_related = ("owner",)
    list_filter = ("status", EngineFilter, ("owner", OwnerFilter), "created_at")
    search_fields = ("filename",)  # shows the search box; get_search_results does the work
    search_help_text = _(
        "Id, uid, part of a file name, or an e-mail address (with its @). text:words looks into the transcripts of the "
        "newest %(newest)s jobs."
    ) % {"newest": f"{NEWEST_SEARCHED:,}"}
    actions = ("requeue_selected", "cancel_selected", "rewrite_reports_of_selected")
    fieldsets = (
        (None, {"fields": ("owner_link", "filename", "uid", "size_bytes", "duration", "source_key")}),
        (_("Recognition"), {"fields": ("engine", "model", "language_code")}),
        (
            _("Course"),
            {
                "classes": ("collapse",),
                "fields": (
                    "run", "created_at", "started_at", "finished_at", "dispatched_at", "not_before", "crashes",
                    "transient_failures", "decoded", "pcm_key", "waited_for", "cancel_at",
                ),
            },
        ),
        (_("Removal"), {"classes": ("collapse",), "fields": ("delete_after", "delete_at", "removed_at", "receipt")}),
    )  # fmt: skip
    readonly_fields = ("owner_link", "duration", "language_code")

    @property
    def media(self) -> Media:
        return super().media + owner_form().media + Media(css={"all": ["jobs/admin_job.css"]})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return JobChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        return search_jobs(queryset, search_term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Job | None = None) -> bool:
        """Nobody: a form that is saved would write columns that a worker has changed meanwhile."""
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("jobs.change_job")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<path:object_id>/requeue/", self.admin_site.admin_view(self.requeue_view), name="jobs_job_requeue"),
            path("<path:object_id>/cancel/", self.admin_site.admin_view(self.cancel_view), name="jobs_job_cancel"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.get_object(request, unquote(object_id))
        page: dict[str, Any] = {}
        if job and self.has_view_permission(request, job):
            with_ledger = request.user.has_perm("accounts.view_ledgerentry")
            page = {**page_of(job, with_ledger=with_ledger), "may_operate": self.has_operate_permission(request)}
        return super().change_view(request, object_id, form_url, {**page, **(extra_context or {})})

    @admin.action(permissions=["operate"], description=_("Requeue selected jobs"))
    def requeue_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._move(request, queryset, moves.requeue)

    @admin.action(permissions=["operate"], description=_("Cancel selected jobs"))
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._move(request, queryset, moves.cancel)

    @admin.action(permissions=["operate"], description=_("Write the reports of selected jobs again"))
    def rewrite_reports_of_selected(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._move(request, queryset, moves.rewrite_report)

    @method_decorator(require_POST)
    def requeue_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._move_one(request, object_id, moves.requeue)

    @method_decorator(require_POST)
    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._move_one(request, object_id, moves.cancel)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As Django's, but not in one transaction: the files must go after the row is gone for good."""
        return self._delete_view(request, object_id, extra_context)  # type: ignore[attr-defined]

    def delete_model(self, request: HttpRequest, obj: Job) -> None:
        services.delete_job(job=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        for job in queryset:
            services.delete_job(job=job)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """The jobs alone: Django would read every event and every part of the transcripts to list them."""
        jobs = list(objs)
        missing = set() if self.has_delete_permission(request) else {self.opts.verbose_name}
        return [str(job) for job in jobs], {self.opts.verbose_name_plural: len(jobs)}, missing, []

    @admin.display(description=_("owner"))
    def owner_email(self, job: Job) -> SafeString:
        return format_html('<a href="?{}={}">{}</a>', OWNER_PARAMETER, job.owner_id, job.owner.email)

    @admin.display(description=_("owner"))
    def owner_link(self, job: Job) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_change", args=[job.owner_id]), job.owner)

    @admin.display(description=_("status, stage"))
    def state(self, job: Job) -> str:
        return f"{job.get_status_display()}, {job.get_stage_display()}" if job.stage else job.get_status_display()

    @admin.display(description=_("progress"))
    def percent(self, job: Job) -> str:
        return f"{job.progress:.0%}"

    @admin.display(description=_("duration"))
    def duration(self, job: Job) -> str:
        return clock_time(job.duration_ms)

    @admin.display(description=_("engine / model"))
    def engine_and_model(self, job: Job) -> str:
        return " / ".join(name for name in (job.engine, job.model) if name) or NOBODY

    @admin.display(description=_("language"))
    def language_code(self, job: Job) -> str:
        return job.language or NOBODY

    @admin.display(description=_("created at"))
    def created(self, job: Job) -> SafeString | str:
        return moment(job.created_at)

    @admin.display(description=_("finished at"))
    def finished(self, job: Job) -> SafeString | str:
        return moment(job.finished_at)

    def _move(self, request: HttpRequest, jobs: QuerySet[Job], move: moves.Move) -> None:
        """Oldest first, so that the queue keeps its order, and each with all its columns."""
        pks = list(jobs.values_list("pk", flat=True))
        outcome = moves.move_all(Job.objects.filter(pk__in=pks).order_by("pk"), move)
        for said, moved in outcome.done.items():
            text = ngettext("%(count)s job: %(said)s (%(ids)s).", "%(count)s jobs: %(said)s (%(ids)s).", len(moved))
            details = {"count": len(moved), "said": said, "ids": moves.listed(moved)}
            self.message_user(request, text % details, messages.SUCCESS)
            for job in moved:
                self.log_change(request, job, said)
        for reason, others in outcome.refused.items():
            text = ngettext(
                "%(count)s job unchanged (%(ids)s): %(reason)s",
                "%(count)s jobs unchanged (%(ids)s): %(reason)s",
                len(others),
            )
            details = {"count": len(others), "ids": moves.listed(others), "reason": reason}
            self.message_user(request, text % details, messages.WARNING)

    def _move_one(self, request: HttpRequest, object_id: str, move: moves.Move) -> HttpResponse:
        if not self.has_operate_permission(request):
            raise PermissionDenied
        job = self.get_object(request, unquote(object_id))
        if job is None:
            raise Http404(_now("There is no such job."))
        self._move(request, Job.objects.filter(pk=job.pk), move)
        return HttpResponseRedirect(reverse("admin:jobs_job_change", args=[job.pk]))
