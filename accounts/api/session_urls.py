"""Login and logout of the browsable API: ``rest_framework.urls`` with the form that knows of too many attempts."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from accounts.forms import LoginForm

app_name = "rest_framework"
urlpatterns = [
    path(
        "login/",
        LoginView.as_view(template_name="rest_framework/login.html", authentication_form=LoginForm),
        name="login",
    ),
    path("logout/", LogoutView.as_view(), name="logout"),
]
