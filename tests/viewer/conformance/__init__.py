"""The tables of docs/conformance.md, made from what the code does: each function gives one."""

from __future__ import annotations

from collections.abc import Callable

from tests.viewer.conformance import annexes, keys, services

TABLES: dict[str, Callable[[], str]] = {
    "SOP classes": services.sop_classes,
    "implementation": annexes.implementation,
    "addresses of DICOMweb": services.addresses,
    "presentation contexts": services.contexts,
    "associations that are refused": services.rejections_of_associations,
    "limits": annexes.limits,
    "C-STORE": services.c_store,
    "C-FIND": services.c_find,
    "keys": keys.query_keys,
    "counted keys": keys.counted_keys,
    "C-MOVE and C-GET": services.c_move,
    "N-ACTION": services.n_action,
    "failure reasons": services.failure_reasons,
    "worklist keys": keys.worklist_keys,
    "performed steps": services.performed_step,
    "attributes of N-SET": keys.performed_attributes,
    "keys asked of others": keys.asked_of_others,
    "contexts for C-GET": keys.fetched_contexts,
    "patience with others": annexes.patience,
    "parameters of QIDO-RS": keys.qido_parameters,
    "attributes of QIDO-RS": keys.qido_returned,
    "transfer syntaxes": services.transfer_syntaxes,
    "failure reasons of STOW-RS": services.stow,
    "bulk data of STOW-RS": annexes.stow_syntaxes,
    "HTTP statuses": services.http_statuses,
    "character sets": annexes.character_sets,
    "directory records": annexes.directory_records,
    "created objects": annexes.created,
    "titles of key objects": annexes.titles,
    "corrected attributes": annexes.corrected,
    "codes": annexes.terminology,
    "storage classes": services.storage_classes,
}
"""By the name between the markers of the document."""
