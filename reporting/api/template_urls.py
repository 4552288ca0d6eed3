from __future__ import annotations

from django.urls import URLPattern, path

from reporting.api.macros import MacroDoor, Macros
from reporting.api.templates import Default, Templates

urlpatterns: list[URLPattern] = [
    path("templates/", Templates.as_view(), name="api-templates"),
    path("templates/default/", Default.as_view(), name="api-template-default"),
    path("macros/", Macros.as_view(), name="api-macros"),
    path("macros/<int:macro_id>/", MacroDoor.as_view(), name="api-macro"),
]
