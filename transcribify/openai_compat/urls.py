from django.urls import path

from transcribify.openai_compat import views

urlpatterns = [
    path("audio/transcriptions", views.TranscriptionsView.as_view(), name="openai-transcriptions"),
    path("audio/translations", views.TranslationsView.as_view(), name="openai-translations"),
    path("models", views.ModelsView.as_view(), name="openai-models"),
    path("models/<path:model_id>", views.ModelView.as_view(), name="openai-model"),
]
