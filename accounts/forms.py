"""Forms of the pages: login, and users with an e-mail address for a name and the audio budget beside it."""

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.forms import (
    AuthenticationForm,
    BaseUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.errors import TooManyAttempts
from accounts.models import LedgerEntry, QuotaAccount, User

MAX_SECONDS = 1_000_000_000
"""Thirty years; keeps milliseconds far inside a database integer."""


class LoginForm(AuthenticationForm):
    """Django's login, which says in the form when there were too many attempts."""

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except TooManyAttempts as refusal:
            raise ValidationError(refusal.message, code=refusal.code) from refusal


class StaffLoginForm(LoginForm, AdminAuthenticationForm):
    """The same at the admin's door."""


class PasswordStateWidget(ReadOnlyPasswordHashWidget):
    """Whether there is a password. Django's own shows the beginning of its hash and salt."""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if any("value" in entry for entry in context["summary"]):
            context["summary"] = [{"label": _("A password is set.")}]
        return context


class NewUserForm(BaseUserCreationForm):
    """E-mail and password. The manager makes the user, so that the audio budget is there from the start."""

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        return User.objects.normalize_email(self.cleaned_data["email"])

    def save(self, commit: bool = True) -> User:
        """Writes at once whatever ``commit`` says: a user and its budget are made together or not at all."""
        self.instance = User.objects.create_user(self.cleaned_data["email"], self.cleaned_data["password1"])
        return self.instance

    def save_m2m(self) -> None:
        """The form has no groups or permissions to link."""


class UserForm(UserChangeForm):
    """A user's flags, the limit of the audio budget, and a grant that is booked once."""

    password = ReadOnlyPasswordHashField(label=_("Password"), widget=PasswordStateWidget)
    limit_seconds = forms.IntegerField(
        label=_("Limit, seconds"),
        required=False,
        min_value=0,
        max_value=MAX_SECONDS,
        # What counts as changed is what this person changed, not what a colleague changed meanwhile.
        show_hidden_initial=True,
        help_text=_("Empty means unlimited, 0 means none."),
    )
    grant_seconds = forms.IntegerField(
        label=_("Grant seconds"),
        required=False,
        min_value=-MAX_SECONDS,
        max_value=MAX_SECONDS,
        help_text=_(
            "Booked once when you save. It lowers what counts as used, so the ledger shows it as minus; a number below "
            "zero takes seconds away."
        ),
    )
    grant_reason = forms.CharField(
        label=_("Reason"), required=False, max_length=100, help_text=_("Kept in the ledger beside the grant.")
    )
    jobs_in_flight = forms.IntegerField(
        label=_("Jobs in flight at most"),
        required=False,
        min_value=1,
        max_value=10_000,
        show_hidden_initial=True,
        help_text=_("Recordings that workers go through at the same time. Empty: as the setting JOBS_IN_FLIGHT says."),
    )
    newest_adjustment = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        account = QuotaAccount.objects.get(pk=self.instance.pk)
        self.initial["limit_seconds"] = None if account.limit_ms is None else account.limit_ms // 1000
        self.initial["jobs_in_flight"] = account.jobs_in_flight
        self.initial["newest_adjustment"] = self._newest_adjustment()

    def clean_email(self) -> str:
        return User.objects.normalize_email(self.cleaned_data["email"])

    def clean_grant_seconds(self) -> int | None:
        seconds = self.cleaned_data["grant_seconds"]
        if seconds == 0:
            raise ValidationError(_("Nothing would be granted. Leave it empty, or give a number other than 0."))
        return seconds

    def clean(self) -> dict[str, Any]:
        """Refuse a grant from a page that does not show the newest one: a double click would book it twice."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("grant_seconds"):
            QuotaAccount.objects.select_for_update().get(pk=self.instance.pk)
            if cleaned.get("newest_adjustment") != self._newest_adjustment():
                self.add_error(
                    "grant_seconds",
                    _("Another grant was booked since this page was opened. Reload the page, see the ledger below."),
                )
        return cleaned

    def _newest_adjustment(self) -> int:
        rows = LedgerEntry.objects.filter(account_id=self.instance.pk, kind=LedgerEntry.Kind.ADJUST)
        return rows.order_by("-id").values_list("id", flat=True).first() or 0
