"""The admin's forms for users: an e-mail address instead of a user name, and the audio budget beside it."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import LedgerEntry, QuotaAccount, User

MAX_SECONDS = 1_000_000_000
"""Thirty years; keeps milliseconds far inside a database integer."""


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
    newest_adjustment = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit_ms = QuotaAccount.objects.values_list("limit_ms", flat=True).get(pk=self.instance.pk)
        self.initial["limit_seconds"] = None if limit_ms is None else limit_ms // 1000
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
