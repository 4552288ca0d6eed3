from django.urls import include, path

urlpatterns = [
    path("", include("reporting.api.urls")),
    path("", include("reporting.pages.urls")),
    path("", include("reporting.mrrt_service.urls")),
    path("", include("reporting.fhir.urls")),
    path("", include("reporting.portal.urls")),
]
