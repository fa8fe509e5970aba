"""The admin of accounts: users with their audio budget on one page, API keys to revoke, and the ledger to read."""

from typing import Any

# Imported for its effect: it registers the token models, which are taken out again below.
import rest_framework_simplejwt.token_blacklist.admin  # noqa: F401
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import ExpressionWrapper, F, FloatField, OuterRef, Q, QuerySet, Subquery, Value
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import quota
from accounts.durations import clock_time
from accounts.forms import NewUserForm, StaffLoginForm, UserForm
from accounts.keys import revoke_key
from accounts.long_lists import LongListMixin, ReadOnlyMixin, moment
from accounts.models import ApiKey, LedgerEntry, QuotaAccount, User

admin.site.site_header = "Transcribify"
admin.site.site_title = "Transcribify"
admin.site.index_title = _("Operation")
admin.site.login_form = StaffLoginForm

# Its pages show refresh tokens that are valid: whoever reads them is logged in as their user.
admin.site.unregister([OutstandingToken, BlacklistedToken])

BUDGET = ("used", "reserved", "remaining")
BUDGET_INPUTS = ("limit_seconds", "grant_seconds", "grant_reason", "newest_adjustment", "jobs_in_flight")
PERMISSIONS = ("is_staff", "is_superuser", "groups", "user_permissions")
LEDGER_ROWS = 20


@admin.register(User)
class UserAdmin(LongListMixin, DjangoUserAdmin):
    """Users by e-mail address. Limit and grants are on the user's page; ``accounts.quota`` does the booking."""

    list_display = ("email", "is_active", "is_staff", "limit", "used", "remaining")
    list_filter = ("is_active", "is_staff")
    list_select_related = ("quota",)
    search_fields = ("email",)
    search_help_text = _("Part of the e-mail address")
    form = UserForm
    add_form = NewUserForm
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "password1", "password2")}),)
    readonly_fields = ("limit", *BUDGET, "created_at", "last_login")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        if obj is None:
            return self.add_fieldsets
        budget = (*BUDGET, *BUDGET_INPUTS) if self.has_change_permission(request, obj) else ("limit", *BUDGET)
        return (
            (None, {"fields": ("email", "password", "is_active")}),
            (_("Audio budget"), {"fields": budget}),
            (_("Permissions"), {"fields": PERMISSIONS, "classes": ("collapse",)}),
            (_("Dates"), {"fields": ("created_at", "last_login")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *PERMISSIONS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser changes staff: a new password for a superuser's account would be a way to become one."""
        return _may_touch(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A user's keys go with the user, though nobody deletes them by themselves."""
        shown, counts, not_permitted, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(not_permitted) - {ApiKey._meta.verbose_name}, protected

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Write what this person changed and nothing else; a worker may be booking at this moment."""
        if not change:
            return  # the form has saved it
        columns = {field.name for field in User._meta.concrete_fields}
        obj.save(update_fields=[name for name in form.changed_data if name in columns])
        if "limit_seconds" in form.changed_data:
            seconds = form.cleaned_data["limit_seconds"]
            QuotaAccount.objects.filter(pk=obj.pk).update(limit_ms=None if seconds is None else seconds * 1000)
        if "jobs_in_flight" in form.changed_data:
            QuotaAccount.objects.filter(pk=obj.pk).update(jobs_in_flight=form.cleaned_data["jobs_in_flight"])
        if granted := form.cleaned_data.get("grant_seconds"):
            quota.grant(user=obj, duration_ms=granted * 1000, tag=form.cleaned_data["grant_reason"])
            self.message_user(request, _now("Booked %(seconds)s seconds.") % {"seconds": f"{granted:+d}"})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"ledger": _newest_entries(request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=_("limit"))
    def limit(self, user: User) -> str:
        return _limited(user.quota.limit_ms)

    @admin.display(description=_("used"))
    def used(self, user: User) -> str:
        """Seconds granted beyond what was used show as such, not as negative use."""
        used_ms = user.quota.used_ms
        if used_ms >= 0:
            return _budget(used_ms)
        return _now("%(used)s, and %(granted)s granted ahead") % {"used": _budget(0), "granted": _budget(-used_ms)}

    @admin.display(description=_("reserved"))
    def reserved(self, user: User) -> str:
        return _budget(user.quota.reserved_ms)

    @admin.display(description=_("remaining"))
    def remaining(self, user: User) -> str:
        return _limited(user.quota.remaining_ms)


@admin.register(ApiKey)
class ApiKeyAdmin(LongListMixin, ReadOnlyMixin):
    """API keys, to find and to revoke. Who may change keys may revoke them; nobody makes or edits one here."""

    list_display = ("name", "owner", "prefix", "created", "last_used", "expires", "revoked")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "prefix__startswith")
    search_help_text = _("Part of the owner's e-mail address, or the beginning of the key")
    fields = ("name", "owner", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at")
    actions = ("revoke_selected",)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Not by the hash: it could be guessed from the list, character by character."""
        return not lookup.startswith("key_sha256") and super().lookup_allowed(lookup, value, request)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.change_apikey")

    @admin.action(permissions=["revoke"], description=_("Revoke selected API keys"))
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked_at=None))
        for key in keys:
            revoke_key(key=key)
            self.log_change(request, key, _now("Revoked."))
        self.message_user(request, _now("Revoked %(count)s API keys.") % {"count": len(keys)})

    @admin.display(description=_("created at"))
    def created(self, key: ApiKey) -> SafeString | str:
        return moment(key.created_at)

    @admin.display(description=_("last used at"))
    def last_used(self, key: ApiKey) -> SafeString | str:
        return moment(key.last_used_at)

    @admin.display(description=_("expires at"))
    def expires(self, key: ApiKey) -> SafeString | str:
        return moment(key.expires_at)

    @admin.display(description=_("revoked at"))
    def revoked(self, key: ApiKey) -> SafeString | str:
        return moment(key.revoked_at)


@admin.register(LedgerEntry)
class LedgerAdmin(LongListMixin, ReadOnlyMixin):
    """The ledger, to read. Accounts and jobs are plain ids in it, for it outlives both."""

    list_display = ("id", "moment", "account", "kind", "seconds", "job", "run", "tag")
    list_filter = ("kind",)
    search_fields = ("account_id",)  # shows the search box; get_search_results does the work
    search_help_text = _("Id of an account or a job, or the whole e-mail address of an account")
    fields = ("id", "at", "account", "kind", "seconds", "job", "run", "api_key_id", "labels", "tag")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        email = User.objects.filter(pk=OuterRef("account_id")).values("email")
        return super().get_queryset(request).annotate(email=Subquery(email))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LedgerEntry], search_term: str
    ) -> tuple[QuerySet[LedgerEntry], bool]:
        term = search_term.strip().removeprefix("#")
        if not term:
            return queryset, False
        if term.isascii() and term.isdigit():
            return queryset.filter(Q(account_id=term) | Q(job_id=term)), False
        return queryset.filter(account_id__in=User.objects.filter(email=term.lower()).values("pk")), False

    @admin.display(description=_("at"))
    def moment(self, entry: LedgerEntry) -> SafeString | str:
        return moment(entry.at)

    @admin.display(description=_("account"))
    def account(self, entry: LedgerEntry) -> str | SafeString:
        email = getattr(entry, "email", None)
        if email is None:
            return _now("%(id)s (deleted)") % {"id": entry.account_id}
        return format_html('<a href="{}">{}</a>', reverse("admin:accounts_user_change", args=[entry.account_id]), email)

    @admin.display(description=_("seconds"))
    def seconds(self, entry: LedgerEntry) -> str:
        return f"{entry.ms / 1000:,.3f}"

    @admin.display(description=_("tags"))
    def labels(self, entry: LedgerEntry) -> str:
        return ", ".join(entry.tags) or "–"

    @admin.display(description=_("job"))
    def job(self, entry: LedgerEntry) -> str | SafeString:
        """The ledger's rows of the job: the job itself may be gone."""
        if entry.job_id is None:
            return "–"
        return format_html('<a href="?job_id__exact={}">{}</a>', entry.job_id, entry.job_id)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_staff or bool(request.user.is_superuser)


def _limited(ms: int | None) -> str:
    return _now("unlimited") if ms is None else _budget(ms)


def _budget(ms: int) -> str:
    """As a clock shows it, and in the unit of the inputs; in one piece, for columns are narrow."""
    return f"{clock_time(ms)} ({ms / 1000:,.0f} s)".replace(" ", "\N{NO-BREAK SPACE}")


def ledger_rows(**ids: int | str) -> QuerySet[LedgerEntry]:
    """Entries by ``account_id`` or ``job_id``, newest first, each with its ``seconds``: for tables on other pages."""
    seconds = ExpressionWrapper(F("ms") / Value(1000.0), output_field=FloatField())
    return LedgerEntry.objects.filter(**ids).annotate(seconds=seconds).order_by("-id")


def _newest_entries(request: HttpRequest, user_id: str) -> list[LedgerEntry] | None:
    """The account's last rows, or None for who may not read the ledger."""
    if not request.user.has_perm("accounts.view_ledgerentry"):
        return None
    account_id = unquote(user_id)
    return list(ledger_rows(account_id=account_id)[:LEDGER_ROWS]) if account_id.isdigit() else []
