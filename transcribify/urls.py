"""Every address of the service."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from transcribify import health
from transcribify.schema import authentication  # noqa: F401 - known to the description once it is imported
from transcribify.schema.pages import DocsPage

urlpatterns = [
    path("", RedirectView.as_view(url="/jobs")),
    path("", include("accounts.api.urls")),
    path("", include("jobs.api.urls")),
    path("", include("reports.api.urls")),
    path("v1/", include("transcribify.openai_compat.urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
    path("docs", DocsPage.as_view(), name="docs"),
    path("api-auth/", include("accounts.api.session_urls")),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
]

handler400 = "transcribify.api_errors.bad_request"
handler404 = "transcribify.api_errors.not_found"
handler500 = "transcribify.api_errors.server_error"
