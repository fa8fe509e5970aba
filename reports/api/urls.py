from django.urls import path

from reports.api import views

urlpatterns = [
    path("jobs/<int:job_id>/transcript", views.TranscriptView.as_view(), name="job-transcript"),
    path("jobs/<int:job_id>/transcript.<str:format_name>", views.TranscriptFileView.as_view(), name="job-export"),
]
