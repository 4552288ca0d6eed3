"""Addresses of PS3.18 table 10.1-1, below /dicom-web/. Keyword arguments: `study_instance_uid`, `series_instance_uid`,
`sop_instance_uid`, `frames`, `path`. A slash at the end is taken, too."""

from django.urls import path

from viewer.dicomweb import resources

STUDY = "studies/<str:study_instance_uid>"
SERIES = f"{STUDY}/series/<str:series_instance_uid>"
INSTANCE = f"{SERIES}/instances/<str:sop_instance_uid>"
FRAMES = f"{INSTANCE}/frames/<str:frames>"

ROUTES = (
    ("", resources.Capabilities, "dicomweb"),
    ("capabilities", resources.Capabilities, "dicomweb-capabilities"),
    ("studies", resources.Studies, "dicomweb-studies"),
    ("series", resources.AllSeries, "dicomweb-all-series"),
    ("instances", resources.AllInstances, "dicomweb-all-instances"),
    (STUDY, resources.Study, "dicomweb-study"),
    (f"{STUDY}/metadata", resources.Metadata, "dicomweb-study-metadata"),
    (f"{STUDY}/rendered", resources.Rendered, "dicomweb-study-rendered"),
    (f"{STUDY}/thumbnail", resources.Thumbnail, "dicomweb-study-thumbnail"),
    (f"{STUDY}/series", resources.AllSeries, "dicomweb-study-all-series"),
    (f"{STUDY}/instances", resources.AllInstances, "dicomweb-study-all-instances"),
    (SERIES, resources.Series, "dicomweb-series"),
    (f"{SERIES}/metadata", resources.Metadata, "dicomweb-series-metadata"),
    (f"{SERIES}/rendered", resources.Rendered, "dicomweb-series-rendered"),
    (f"{SERIES}/thumbnail", resources.Thumbnail, "dicomweb-series-thumbnail"),
    (f"{SERIES}/instances", resources.AllInstances, "dicomweb-series-all-instances"),
    (INSTANCE, resources.Instance, "dicomweb-instance"),
    (f"{INSTANCE}/metadata", resources.Metadata, "dicomweb-instance-metadata"),
    (f"{INSTANCE}/rendered", resources.Rendered, "dicomweb-instance-rendered"),
    (f"{INSTANCE}/thumbnail", resources.Thumbnail, "dicomweb-instance-thumbnail"),
    (f"{INSTANCE}/bulkdata/<path:path>", resources.BulkData, "dicomweb-bulkdata"),
    (FRAMES, resources.Frames, "dicomweb-frames"),
    (f"{FRAMES}/rendered", resources.Rendered, "dicomweb-frames-rendered"),
    (f"{FRAMES}/thumbnail", resources.Thumbnail, "dicomweb-frames-thumbnail"),
)

# Those with a slash first: of two with one name, the last is the address that is given out.
urlpatterns = [
    path(f"dicom-web/{address}/", resource.as_view(), name=name) for address, resource, name in ROUTES if address
]
urlpatterns += [path(f"dicom-web/{address}", resource.as_view(), name=name) for address, resource, name in ROUTES]
urlpatterns.append(path("wado", resources.WadoUri.as_view(), name="wado-uri"))
