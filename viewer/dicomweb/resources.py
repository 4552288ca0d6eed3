"""The resources of PS3.18 10.1: what each method of an address does lies in a module of its own."""

from __future__ import annotations

from viewer.dicomweb.deleting import Delete
from viewer.dicomweb.framing import Frames
from viewer.dicomweb.metadata import BulkData, Capabilities, Metadata
from viewer.dicomweb.rendering import Rendered, Thumbnail
from viewer.dicomweb.retrieving import Retrieve
from viewer.dicomweb.searching import SearchInstances, SearchSeries, SearchStudies
from viewer.dicomweb.storing import Store
from viewer.dicomweb.wado_uri import WadoUri


class Studies(SearchStudies, Store):
    """`/studies`: search, store."""


class Study(Retrieve, Store, Delete):
    """`/studies/{study}`: retrieve, store into it, delete."""


class AllSeries(SearchSeries):
    """`/series` and `/studies/{study}/series`."""


class Series(Retrieve, Delete):
    """`/studies/{study}/series/{series}`."""


class AllInstances(SearchInstances):
    """`/instances` and below a study or a series."""


class Instance(Retrieve, Delete):
    """`/studies/{study}/series/{series}/instances/{instance}`."""


__all__ = [
    "AllInstances",
    "AllSeries",
    "BulkData",
    "Capabilities",
    "Frames",
    "Instance",
    "Metadata",
    "Rendered",
    "Series",
    "Studies",
    "Study",
    "Thumbnail",
    "WadoUri",
]
