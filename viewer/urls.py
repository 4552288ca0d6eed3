from django.urls import include, path

from viewer import access_pages, correction_pages, launch, share_pages, transfer_pages, views
from viewer.serving.health import healthz
from viewer.serving.metrics import metrics

urlpatterns = [
    path("", views.study_list, name="study-list"),
    path("studies/<str:study_instance_uid>/", views.study, name="study"),
    path("studies/<str:study_instance_uid>/correct/", correction_pages.corrections, name="corrections"),
    path("launch", launch.launch, name="launch"),
    path("launch/<str:code>/", launch.launch_code, name="launch-code"),
    path("upload/", views.upload, name="upload"),
    path("share/<str:token>/", share_pages.share, name="share"),
    path("shares/", share_pages.shares, name="shares"),
    path("transfers/", transfer_pages.transfers, name="transfers"),
    path("emergency/", access_pages.emergency, name="emergency"),
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("api/", include("viewer.api.urls")),
    path("", include("viewer.dicomweb.urls")),
]
