"""Filters of the job list whose choices do not depend on how many rows there are."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from jobs.engines.registry import ENGINES
from jobs.models import Job

OWNER_PARAMETER = "owner__id__exact"
OWNER_ISNULL = "owner__isnull"


class EngineFilter(admin.SimpleListFilter):
    """The registered engines by name: asking the table which ones occur would read all of it."""

    title = _("engine")
    parameter_name = "engine"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*((name, name) for name in sorted(ENGINES)), ("-", _("none yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        value = self.value()
        if value is None:
            return queryset
        return queryset.filter(engine="" if value == "-" else value)


class OwnerFilter(admin.RelatedFieldListFilter):
    """One user, found by typing a part of the address: a list of all users would not fit on the page."""

    template = "admin/jobs/job/owner_filter.html"

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        return []

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """What the template needs: the field to type into, the other parameters, and the way back to all users."""
        chosen = self.lookup_val[-1] if self.lookup_val else None
        own = [OWNER_PARAMETER, OWNER_ISNULL]
        others = [(name, value) for name, value in changelist.params.items() if name not in own]
        yield {
            "field": owner_form(chosen)[OWNER_PARAMETER],
            "others": others,
            "all": changelist.get_query_string(remove=own) if chosen else "",
        }


def owner_form(user_id: Any = None) -> forms.Form:
    """A form with one field that finds a user through the admin's autocomplete."""
    widget = AutocompleteSelect(Job._meta.get_field("owner"), admin.site, attrs={"style": "width: 100%"})
    field = forms.ModelChoiceField(User.objects.only("email"), required=False, widget=widget, label=_("owner"))
    form = forms.Form(initial={OWNER_PARAMETER: user_id})
    form.fields[OWNER_PARAMETER] = field
    return form
