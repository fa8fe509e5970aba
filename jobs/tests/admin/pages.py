"""The admin's pages as a browser uses them."""

from django.urls import reverse

from accounts.models import LedgerEntry, QuotaAccount
from jobs.models import Job, JobEvent

JOBS = "/admin/jobs/job/"


def page_of(job):
    return reverse("admin:jobs_job_change", args=[job.pk])


def press(client, button, job):
    return client.post(reverse(f"admin:jobs_job_{button}", args=[job.pk]), follow=True)


def run_action(client, action, *jobs, **fields):
    data = {"action": action, "_selected_action": [job.pk for job in jobs], "select_across": "0", **fields}
    return client.post(JOBS, data, follow=True)


def told(response):
    return " ".join(str(message) for message in response.context["messages"])


def listed(client, question=""):
    response = client.get(f"{JOBS}?{question}")
    assert response.status_code == 200
    return [job.pk for job in response.context["cl"].result_list]


def facts():
    """All that a denied request must leave as it was."""
    return (
        list(Job.objects.order_by("pk").values()),
        list(LedgerEntry.objects.order_by("pk").values()),
        list(QuotaAccount.objects.order_by("pk").values()),
        JobEvent.objects.count(),
    )
