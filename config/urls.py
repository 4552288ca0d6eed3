"""Every door. A URL without a rule of `accounts.policy` fails a test."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("viewer.urls")),
    path("", include("reporting.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "viewer.views.failed"
