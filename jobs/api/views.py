"""The doors to jobs: submit, list, show, delete, cancel, retry, report again."""

from collections.abc import Callable
from typing import ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from jobs import services
from jobs.api import examples
from jobs.api.filters import filter_jobs, read_query
from jobs.api.intake import SubmitInput, origin_of, read_upload, receive_recording
from jobs.api.list_parameters import LIST_PARAMETERS
from jobs.api.options import check_options
from jobs.api.pages import JobPages
from jobs.api.serializers import JobDetail, JobSummary, ReportOutput
from jobs.errors import InputFault, Refused, Removed
from jobs.models import Job, Status
from jobs.selectors import jobs_of
from jobs.submission import submit_recording


class JobsView(GenericAPIView):
    """Your recordings: list them, or hand in another one."""

    takes_recordings = True
    serializer_class = SubmitInput
    pagination_class = JobPages
    parser_classes = (MultiPartParser, FormParser)

    def get_queryset(self) -> QuerySet[Job]:
        return jobs_of(self.request.user)  # type: ignore[arg-type]

    @extend_schema(parameters=LIST_PARAMETERS, responses=JobSummary(many=True), examples=[examples.A_LISTED_JOB])
    def get(self, request: Request) -> Response:
        """List your jobs, newest first."""
        asked = read_query(request)
        page = self.paginate_queryset(filter_jobs(self.get_queryset(), asked))
        return self.get_paginated_response(JobSummary(page, many=True).data)

    @extend_schema(
        request={examples.FORM: SubmitInput},
        responses={202: JobDetail},
        examples=[examples.A_RECORDING, examples.A_WAITING_JOB],
    )
    def post(self, request: Request) -> Response:
        """Hand in a recording. The job that transcribes it is answered at once: ask for it again until it is done."""
        origin = origin_of(request)
        receive_recording(request, origin)
        data = self.get_serializer(data=request.data)
        data.is_valid(raise_exception=True)
        asked = dict(data.validated_data)
        upload = read_upload(asked.pop("file"))
        options = check_options(asked)
        submission = submit_recording(owner=request.user, upload=upload, options=options, origin=origin)  # type: ignore[arg-type]
        headers = {"Location": f"/jobs/{submission.job.pk}"}
        if submission.joined:
            headers["Idempotent-Replayed"] = "true"
        # A plain dict: the browsable page would draw its form from the serializer that .data remembers.
        return Response(dict(JobDetail(submission.job).data), status=status.HTTP_202_ACCEPTED, headers=headers)


class JobView(GenericAPIView):
    """One recording: its state, its transcript so far and its report; DELETE removes all of it."""

    serializer_class = JobDetail

    @extend_schema(responses=JobDetail, examples=[examples.A_JOBS_ID, examples.A_DONE_JOB])
    def get(self, request: Request, job_id: int) -> Response:
        """Show a job: its state, its transcript so far and its report."""
        return Response(dict(JobDetail(find_job(request, job_id)).data))

    @extend_schema(responses={204: None}, examples=[examples.A_JOBS_ID])
    def delete(self, request: Request, job_id: int) -> Response:
        """Delete a job with its recording, transcript and report. What was charged stays in your usage."""
        services.delete_job(job=find_job(request, job_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MoveView(GenericAPIView):
    """A POST without a body that changes a job's course, and answers with the job as it is then."""

    serializer_class = serializers.Serializer
    move: ClassVar[Callable[..., Job]]

    @extend_schema(request=None, responses={202: JobDetail}, examples=[examples.A_JOBS_ID, examples.A_WAITING_JOB])
    def post(self, request: Request, job_id: int) -> Response:
        job = self.move(job=find_job(request, job_id))
        return Response(dict(JobDetail(job).data), status=status.HTTP_202_ACCEPTED)


class CancelView(MoveView):
    """Stop a job. What is transcribed already is kept and charged, the rest is released."""

    move = staticmethod(services.cancel_job)


class RetryView(MoveView):
    """Run a failed or cancelled job again, from the start and with a reservation of its own."""

    move = staticmethod(services.retry_job)


@extend_schema_view(
    post=extend_schema(
        description="Write the report of a finished job again. It is free of charge; the old one stays until then."
    )
)
class ReportView(MoveView):
    """The report of a finished job. POST writes it again, free of charge; until it is there the old one stays."""

    move = staticmethod(services.rewrite_report)

    @extend_schema(responses=ReportOutput, examples=[examples.A_JOBS_ID, examples.A_REPORT])
    def get(self, request: Request, job_id: int) -> Response:
        """Show the report of a finished job."""
        job = find_job(request, job_id)
        if job.is_removed:
            raise Removed("The report was removed; the job shows when, and what it was.", code="report_removed")
        report = getattr(job, "report", None)
        if job.status != Status.DONE and not (job.report_only and report):
            raise not_finished(job, "report")
        if report is None:
            raise InputFault("This job has no report. POST here to have one written.", code="no_report")
        return Response(dict(ReportOutput(report).data))


def find_job(request: Request, job_id: int) -> Job:
    """The caller's own job; another's is as unknown as one that never was."""
    jobs = jobs_of(request.user).select_related("report", "enhanced")  # type: ignore[arg-type]
    return get_object_or_404(jobs, pk=job_id)


def not_finished(job: Job, wanted: str) -> Refused:
    """The answer to who asks for a result that is not there: yet, or ever."""
    advice = "it has none" if job.is_finished else "ask again when it is done"
    return Refused(f"The job is {job.status}; there is no {wanted}: {advice}.", code="not_finished", status=job.status)
