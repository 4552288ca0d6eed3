from django.urls import include, path

from viewer import views
from viewer.serving.health import healthz

urlpatterns = [
    path("", views.study_list, name="study-list"),
    path("studies/<str:study_instance_uid>/", views.study, name="study"),
    path("upload/", views.upload, name="upload"),
    path("healthz", healthz, name="healthz"),
    path("api/", include("viewer.api.urls")),
]
