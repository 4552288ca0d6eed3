from django.urls import include, path

from viewer import correction_pages, transfer_pages, views
from viewer.serving.health import healthz
from viewer.serving.metrics import metrics

urlpatterns = [
    path("", views.study_list, name="study-list"),
    path("studies/<str:study_instance_uid>/", views.study, name="study"),
    path("studies/<str:study_instance_uid>/correct/", correction_pages.corrections, name="corrections"),
    path("upload/", views.upload, name="upload"),
    path("transfers/", transfer_pages.transfers, name="transfers"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("api/", include("viewer.api.urls")),
    path("", include("viewer.dicomweb.urls")),
]
