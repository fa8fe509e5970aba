"""Which of the jobs GET /jobs shows, in which order, and how many at a time."""

from datetime import UTC
from typing import Any

from django.db.models import F, QuerySet
from django.http import QueryDict
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.settings import api_settings

from accounts.api.strict import StrictSerializer
from jobs.api.fields import TagsField
from jobs.api.pages import MAX_PAGE_SIZE, NEWEST_FIRST, ORDERINGS, PAGE_SIZE
from jobs.clock import Moment, text_of_moment
from jobs.models import Job, Status
from jobs.recognition import check_language
from jobs.search import search_jobs, words_of

MAX_QUERY_CHARACTERS = 200
MAX_QUERY_WORDS = 10


class MomentField(serializers.DateTimeField):
    """A date, which is its beginning, or a date with a time; UTC where no offset is given."""

    default_error_messages = {
        "invalid": "Write a date or a time as ISO 8601: 2026-01-31 or 2026-01-31T09:30:00Z; in an address a '+' is %2B."
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(default_timezone=UTC, required=False, **options)


class StatusesField(serializers.ListField):
    """Statuses as a parameter that is given several times, or with commas between them."""

    child = serializers.ChoiceField(choices=Status.choices)

    def to_internal_value(self, data: Any) -> list[str]:
        return super().to_internal_value([status for part in data for status in part.split(",")])


class JobListQuery(StrictSerializer):
    """The parameters of a list of jobs. A job must pass all of the filters."""

    status = StatusesField(required=False, help_text="One status or several; jobs with any of them are shown.")
    created_after = MomentField(
        help_text="Made at this moment or later. A date is its beginning; without an offset the time is UTC."
    )
    created_before = MomentField(help_text="Made before this moment.")
    language = serializers.CharField(
        required=False, max_length=10, help_text="The language that was spoken, as an ISO 639-1 code."
    )
    tag = TagsField(required=False, help_text="A tag; of several a job must have all.")
    q = serializers.CharField(
        required=False,
        max_length=MAX_QUERY_CHARACTERS,
        help_text="Words in the file name or in the transcript. All must occur; each may be the beginning of a longer "
        "one. Capitals do not matter.",
    )
    ordering = serializers.ChoiceField(
        default=NEWEST_FIRST,
        choices=ORDERINGS,
        help_text="What to sort by; '-' is for the largest or the newest first. Unknown values come last.",
    )
    cursor = serializers.CharField(
        required=False, help_text="A page, as in 'next' and 'previous'; with the other parameters."
    )
    page_size = serializers.IntegerField(
        default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE, help_text="How many jobs make a page."
    )

    def validate_language(self, language: str) -> str:
        """Raises ``InputFault``."""
        check_language(language.lower(), engine=None)
        return language.lower()

    def validate_tag(self, tags: list[str]) -> list[str]:
        if not tags:
            raise serializers.ValidationError("Name a tag.", code="empty")
        return tags

    def validate_q(self, query: str) -> str:
        words = words_of(query)
        if not words:
            raise serializers.ValidationError("There is no word in it: give letters or digits.", code="no_words")
        if len(words) > MAX_QUERY_WORDS:
            raise serializers.ValidationError(f"At most {MAX_QUERY_WORDS} words.", code="too_many_words")
        return query

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        after, before = attrs.get("created_after"), attrs.get("created_before")
        if after and before and after > before:
            message = "It is earlier than created_after: no job can be that."
            raise serializers.ValidationError({"created_before": message}, code="bad_range")
        return attrs


def read_query(request: Request) -> dict[str, Any]:
    """The parameters of a list, checked. Raises ``ValidationError`` and ``InputFault``."""
    given = QueryDict(mutable=True)
    given.update(request.query_params)
    # What the browsable pages ask for a representation by.
    given.pop(str(api_settings.URL_FORMAT_OVERRIDE), None)
    # Django REST framework takes a form's empty fields for fields that are not there; here it is likely a mistake.
    if blank := [name for name, values in given.lists() if "" in values]:
        raise serializers.ValidationError(dict.fromkeys(blank, "Give it a value, or leave it out."), code="blank")
    query = JobListQuery(data=given)
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def filter_jobs(jobs: QuerySet[Job], asked: dict[str, Any]) -> QuerySet[Job]:
    """Those of one owner's jobs that pass the filters of ``asked``, as of ``read_query``."""
    if "status" in asked:
        jobs = jobs.filter(status__in=asked["status"])
    if "created_after" in asked:
        jobs = jobs.filter(created_at__gte=Moment(text_of_moment(asked["created_after"])))
    if "created_before" in asked:
        jobs = jobs.filter(created_at__lt=Moment(text_of_moment(asked["created_before"])))
    if "language" in asked:
        jobs = jobs.filter(language=asked["language"])
    for tag in asked.get("tag", ()):
        jobs = jobs.filter(tag_rows__owner=F("owner"), tag_rows__name=tag)
    return search_jobs(jobs, words_of(asked["q"])) if "q" in asked else jobs
