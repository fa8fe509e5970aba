from django.urls import path

from jobs.api import audio, views
from jobs.api.estimate import EstimateView

urlpatterns = [
    path("jobs", views.JobsView.as_view(), name="jobs"),
    path("jobs/estimate", EstimateView.as_view(), name="job-estimate"),
    path("jobs/<int:job_id>", views.JobView.as_view(), name="job"),
    path("jobs/<int:job_id>/cancel", views.CancelView.as_view(), name="job-cancel"),
    path("jobs/<int:job_id>/retry", views.RetryView.as_view(), name="job-retry"),
    path("jobs/<int:job_id>/report", views.ReportView.as_view(), name="job-report"),
    path("jobs/<int:job_id>/audio", audio.AudioView.as_view(), name="job-audio"),
]
