"""Every door. A URL without a rule of `accounts.policy` fails a test."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
