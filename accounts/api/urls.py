from django.urls import path

from accounts.api import keys, usage, views

urlpatterns = [
    path("auth/register", views.RegisterView.as_view(), name="register"),
    path("auth/login", views.LoginView.as_view(), name="login"),
    path("auth/token", views.TokenView.as_view(), name="token"),
    path("auth/refresh", views.RefreshView.as_view(), name="refresh"),
    path("me/keys", keys.KeysView.as_view(), name="keys"),
    path("me/keys/<int:key_id>", keys.KeyView.as_view(), name="key"),
    path("me/usage", usage.UsageView.as_view(), name="usage"),
]
