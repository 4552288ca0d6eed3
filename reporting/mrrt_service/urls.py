from __future__ import annotations

from django.urls import URLPattern, path

from reporting.mrrt_service.views import one, several

urlpatterns: list[URLPattern] = [
    path("IHETemplateService/", several, name="mrrt-templates"),
    path("IHETemplateService/<path:identifier>", one, name="mrrt-template"),
]
