from django.urls import path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import IsAuthenticated

from viewer.api import schema  # noqa: F401 - tells the schema how programs sign in
from viewer.api.access import Emergency, StudyEmergency
from viewer.api.corrections import Choices, Corrections, Undo
from viewer.api.export_video import SeriesVideo
from viewer.api.exports import SeriesExport, StudyExport, StudyExportChoices
from viewer.api.frames import Frame, Thumbnail
from viewer.api.hanging import HangingDoor, HangingProtocols
from viewer.api.key_images import KeyImageDoor, KeyImageObject, KeyImages
from viewer.api.launches import Launches
from viewer.api.measurements import MeasurementDoor, MeasurementObject, Measurements
from viewer.api.objects import Document, Objects, Pdf, Video
from viewer.api.people import Me
from viewer.api.segments import Segments
from viewer.api.settings import Settings
from viewer.api.sharing import ShareLinkDoor, ShareLinks
from viewer.api.studies import Studies, StudyDoor
from viewer.api.transfers import Peers, PeerSearch, TransferCancel, TransferRetry, Transfers
from viewer.api.uploads import Uploads
from viewer.api.viewed import Viewed

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]), name="api-schema"),
    path("me/", Me.as_view(), name="api-me"),
    path("me/settings/", Settings.as_view(), name="api-my-settings"),
    path("studies/", Studies.as_view(), name="api-studies"),
    path("studies/<str:study_instance_uid>/", StudyDoor.as_view(), name="api-study"),
    path("studies/<str:study_instance_uid>/key-images/", KeyImages.as_view(), name="api-key-images"),
    path("studies/<str:study_instance_uid>/key-images/object/", KeyImageObject.as_view(), name="api-key-image-object"),
    path("studies/<str:study_instance_uid>/key-images/<str:uid>/", KeyImageDoor.as_view(), name="api-key-image"),
    path("studies/<str:study_instance_uid>/measurements/", Measurements.as_view(), name="api-measurements"),
    path(
        "studies/<str:study_instance_uid>/measurements/object/",
        MeasurementObject.as_view(),
        name="api-measurement-object",
    ),
    path("studies/<str:study_instance_uid>/measurements/<str:uid>/", MeasurementDoor.as_view(), name="api-measurement"),
    path("studies/<str:study_instance_uid>/emergency/", StudyEmergency.as_view(), name="api-study-emergency"),
    path("emergency/", Emergency.as_view(), name="api-emergency"),
    path("studies/<str:study_instance_uid>/objects/", Objects.as_view(), name="api-objects"),
    path("studies/<str:study_instance_uid>/corrections/", Corrections.as_view(), name="api-corrections"),
    path("studies/<str:study_instance_uid>/corrections/choices/", Choices.as_view(), name="api-correction-choices"),
    path(
        "studies/<str:study_instance_uid>/corrections/<int:correction>/undo/",
        Undo.as_view(),
        name="api-correction-undo",
    ),
    path("studies/<str:study_instance_uid>/export/", StudyExportChoices.as_view(), name="api-study-export-choices"),
    path("studies/<str:study_instance_uid>/export.zip", StudyExport.as_view(), name="api-study-export"),
    path("series/<str:series_instance_uid>/export.zip", SeriesExport.as_view(), name="api-series-export"),
    path("series/<str:series_instance_uid>/video.mp4", SeriesVideo.as_view(), name="api-series-video"),
    path("studies/<str:study_instance_uid>/share-links/", ShareLinks.as_view(), name="api-share-links"),
    path("share-links/<int:link>/", ShareLinkDoor.as_view(), name="api-share-link"),
    path("studies/<str:study_instance_uid>/hanging/", HangingDoor.as_view(), name="api-hanging"),
    path("studies/<str:study_instance_uid>/viewed/", Viewed.as_view(), name="api-viewed"),
    path("hanging-protocols/", HangingProtocols.as_view(), name="api-hanging-protocols"),
    path("instances/<str:sop_instance_uid>/document/", Document.as_view(), name="api-document"),
    path("instances/<str:sop_instance_uid>/segments/", Segments.as_view(), name="api-segments"),
    path("instances/<str:sop_instance_uid>/pdf/", Pdf.as_view(), name="api-pdf"),
    path("instances/<str:sop_instance_uid>/video/", Video.as_view(), name="api-video"),
    path("launches/", Launches.as_view(), name="api-launches"),
    path("uploads/", Uploads.as_view(), name="api-uploads"),
    path("peers/", Peers.as_view(), name="api-peers"),
    path("peers/<int:peer>/search/", PeerSearch.as_view(), name="api-peer-search"),
    path("transfers/", Transfers.as_view(), name="api-transfers"),
    path("transfers/<int:transfer>/cancel/", TransferCancel.as_view(), name="api-transfer-cancel"),
    path("transfers/<int:transfer>/retry/", TransferRetry.as_view(), name="api-transfer-retry"),
    path("series/<str:series_instance_uid>/frame", Frame.as_view(), name="api-frame"),
    path("series/<str:series_instance_uid>/thumbnail", Thumbnail.as_view(), name="api-thumbnail"),
]
