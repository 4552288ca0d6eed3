"""The shapes of what the doors of reports take and answer, for the OpenAPI schema; a test holds the answers against them."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from reporting.models import ReportState
from reporting.workflow.content import FILLS
from reporting.workflow.states import ACTS, GRADES, REASON_CODES
from viewer.api.correction_shapes import CorrectionShape

TOKEN = OpenApiParameter("token", OpenApiTypes.STR, description="Of the window that asks; a program needs none.")
STATES = [state.value for state in ReportState]


class ProblemShape(serializers.Serializer):
    rule = serializers.CharField()
    level = serializers.ChoiceField(["block", "acknowledge"])
    message = serializers.CharField()
    field = serializers.CharField(allow_blank=True, required=False, help_text="Id of the field; empty: of the whole.")
    place = serializers.ListField(
        child=serializers.IntegerField(), allow_null=True, required=False, help_text="[start, end] in the field's text."
    )


class RefusalShape(serializers.Serializer):
    detail = serializers.CharField(help_text="For a person.")
    code = serializers.CharField(help_text="For a program.")
    problems = ProblemShape(many=True, required=False)
    reauthenticate = serializers.CharField(
        required=False, help_text="The page at which this person proves who they are, for `code` reauthenticate."
    )


class LockShape(serializers.Serializer):
    mine = serializers.BooleanField()
    by = serializers.CharField(allow_null=True, help_text="Who writes it; null: nobody.")
    until = serializers.DateTimeField(allow_null=True, help_text="When it is free without another heartbeat.")
    token = serializers.CharField(required=False, allow_blank=True, help_text="Told to its holder alone.")


class LockedShape(RefusalShape):
    lock = LockShape()


class DifferenceOfField(serializers.Serializer):
    field = serializers.CharField()
    yours = serializers.JSONField(allow_null=True)
    theirs = serializers.JSONField(allow_null=True)
    base = serializers.JSONField(allow_null=True)
    both = serializers.BooleanField(help_text="Both changed it: a person has to choose.")


class StaleShape(RefusalShape):
    version = serializers.IntegerField(required=False)
    content = serializers.JSONField(required=False)
    fills = serializers.JSONField(required=False)
    template = serializers.IntegerField(required=False)
    difference = DifferenceOfField(many=True, required=False)


REFUSED = OpenApiResponse(RefusalShape, description="It was not done; `detail` says why.")
PROBLEMS = OpenApiResponse(RefusalShape, description="`problems` stand in the way.")
LOCKED = OpenApiResponse(LockedShape, description="Somebody else writes this report, or another window of yours.")
STALE = OpenApiResponse(
    StaleShape, description="Saved meanwhile (stale), wrong_patient, or its state does not allow it."
)
CONFLICT = OpenApiResponse(RefusalShape, description="stale, wrong_patient, or its state does not allow it.")


class ContextShape(serializers.Serializer):
    study = serializers.CharField()
    patient_id = serializers.CharField(allow_blank=True)
    accession_number = serializers.CharField(allow_blank=True)


class ContextAsked(ContextShape):
    corrected = serializers.IntegerField(
        required=False, help_text="`reassigned` of the report: the text is about the patient whose the images are now."
    )


class ContextTold(ContextShape):
    patient_name = serializers.CharField(allow_blank=True)
    birth_date = serializers.CharField(allow_blank=True)
    sex = serializers.CharField(allow_blank=True)
    laterality = serializers.CharField(allow_blank=True)
    procedure = serializers.CharField(allow_blank=True)


class Opening(serializers.Serializer):
    study = serializers.CharField(help_text="Study Instance UID.")
    template = serializers.JSONField(required=False, help_text='Number or identifier; "free-text" always exists.')
    token = serializers.CharField(required=False, help_text="Of the window that opens it.")
    organization = serializers.CharField(required=False)
    new = serializers.BooleanField(required=False, help_text="A further report, where the study's is finished.")
    reason = serializers.CharField(
        required=False, help_text="Why it is taken over from whoever reads or writes it now."
    )


class Save(serializers.Serializer):
    based_on = serializers.IntegerField(help_text="The version that was changed.")
    content = serializers.DictField(required=False, help_text="Field id: value.")
    fills = serializers.DictField(child=serializers.ChoiceField(FILLS), required=False)
    template = serializers.JSONField(required=False, help_text="Take another template.")
    context = ContextAsked(required=False)
    token = serializers.CharField(required=False)


class LockAsked(serializers.Serializer):
    action = serializers.ChoiceField(["heartbeat", "release", "take"])
    token = serializers.CharField(required=False)
    reason = serializers.CharField(required=False, help_text="Taking it from another person needs one.")


class Password(serializers.CharField):
    """Of the person who signs, who may be asked elsewhere instead."""

    def __init__(self) -> None:
        super().__init__(
            required=False,
            help_text="Left out by who has none (single sign-on) or uses a passkey: 403 then says by `reauthenticate` at which "
            "page the person is asked first; within five minutes of that one call without a password signs. Not with a token.",
        )


class Signing(serializers.Serializer):
    password = Password()
    meaning = serializers.ChoiceField(["read", "preliminary", "final", "submit"])
    acknowledged = serializers.ListField(child=serializers.CharField(), required=False, help_text="Rules.")
    version = serializers.IntegerField(required=False, help_text="What was looked at; 409 when it is not the newest.")
    context = ContextAsked(required=False)
    token = serializers.CharField(required=False)
    discrepancy = serializers.ChoiceField(GRADES, required=False, help_text="Final against another's preliminary.")
    discrepancy_note = serializers.CharField(required=False)


class Cosigning(serializers.Serializer):
    password = Password()
    acknowledged = serializers.ListField(child=serializers.CharField(), required=False)
    version = serializers.IntegerField(required=False)
    context = ContextAsked(required=False)
    token = serializers.CharField(required=False)
    discrepancy = serializers.ChoiceField(GRADES, required=False)
    discrepancy_note = serializers.CharField(required=False)


class Adding(serializers.Serializer):
    text = serializers.CharField()
    password = Password()
    acknowledged = serializers.ListField(child=serializers.CharField(), required=False)
    version = serializers.IntegerField(required=False, help_text="The report's; so that a repeated call adds nothing.")
    context = ContextAsked(required=False)


class Returning(serializers.Serializer):
    comment = serializers.CharField()
    token = serializers.CharField(required=False)


class Correcting(serializers.Serializer):
    reason = serializers.CharField()
    reason_code = serializers.ChoiceField(REASON_CODES)
    context = ContextAsked(required=False)
    token = serializers.CharField(required=False)


class Reasoned(serializers.Serializer):
    reason = serializers.CharField()


class Withdrawing(serializers.Serializer):
    password = Password()
    reason = serializers.CharField(required=False, help_text="The first person says why.")


# --- answers


class Brief(serializers.Serializer):
    id = serializers.IntegerField()
    uid = serializers.UUIDField()
    state = serializers.ChoiceField(STATES)
    version = serializers.IntegerField()


class SavedShape(Brief):
    saved = serializers.BooleanField(help_text="False: nothing was changed, and no version was made.")
    hash = serializers.CharField()
    lock = LockShape()


class LockAnswer(Brief):
    mine = serializers.BooleanField()
    by = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    token = serializers.CharField(required=False, allow_blank=True)
    lock = LockShape()


class SignatureShape(serializers.Serializer):
    name = serializers.CharField()
    role = serializers.CharField(allow_blank=True)
    meaning = serializers.CharField()
    at = serializers.DateTimeField()
    version = serializers.IntegerField()
    reason = serializers.CharField(required=False)


class DoneShape(Brief):
    hash = serializers.CharField()
    signature = SignatureShape(allow_null=True)
    signed_version = serializers.IntegerField()
    may = serializers.ListField(child=serializers.CharField(), help_text=f"Of {', '.join(ACTS)}.")


class ReportRow(Brief):
    study = serializers.CharField()
    organization = serializers.CharField()
    signed_version = serializers.IntegerField()
    title = serializers.CharField()
    author = serializers.CharField()
    created_at = serializers.DateTimeField()
    may = serializers.ListField(child=serializers.CharField(), help_text=f"Of {', '.join(ACTS)}.")


class ReportList(serializers.Serializer):
    reports = ReportRow(many=True)


class TemplateOfReport(serializers.Serializer):
    id = serializers.IntegerField()
    identifier = serializers.CharField()
    title = serializers.CharField()
    version = serializers.IntegerField()
    why = serializers.CharField(allow_blank=True)


class SectionOfReport(serializers.Serializer):
    id = serializers.CharField()
    title = serializers.CharField()
    code = serializers.JSONField(allow_null=True)


class SaidShape(serializers.Serializer):
    by = serializers.CharField()
    at = serializers.DateTimeField()
    reason = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField()
    reason_code = serializers.CharField(required=False)


class LeftOverShape(serializers.Serializer):
    field = serializers.CharField()
    label = serializers.CharField()
    value = serializers.JSONField()
    words = serializers.CharField()


class CriticalOfReport(serializers.Serializer):
    id = serializers.IntegerField()
    finding = serializers.CharField()
    category = serializers.CharField()
    read_back = serializers.BooleanField()
    found_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class PriorReport(serializers.Serializer):
    id = serializers.IntegerField()
    study = serializers.CharField()
    study_date = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)
    state = serializers.CharField()


class ReadShape(serializers.Serializer):
    id = serializers.IntegerField(help_text="A report in the state read: GET /api/reports/{id}/ tells what it says.")
    by = serializers.CharField()
    at = serializers.DateTimeField()


class ReportShape(ReportRow):
    template = TemplateOfReport()
    schema = serializers.JSONField(help_text="Sections and fields of the template.")
    sections = SectionOfReport(many=True)
    content = serializers.JSONField(help_text="Field id: value.")
    fills = serializers.JSONField(help_text="Field id: how it was filled.")
    merged = serializers.JSONField(
        help_text="What the template can take over from patient, study, order, measurements."
    )
    context = ContextTold()
    disagreements = serializers.ListField(child=serializers.CharField(), help_text="Between the order and the images.")
    corrected_since = CorrectionShape(
        many=True, help_text="What was corrected about its images since it was signed, or else last written."
    )
    reassigned = serializers.IntegerField(
        allow_null=True,
        help_text="The correction by which the images became another patient's since the newest text. Until it is sent along "
        "as `context.corrected` nothing is kept or signed.",
    )
    order = serializers.JSONField(allow_null=True)
    item = serializers.IntegerField(allow_null=True)
    lock = LockShape()
    signatures = SignatureShape(many=True)
    returned = SaidShape(allow_null=True)
    correction = SaidShape(allow_null=True, help_text="Being written beside the signed text.")
    error_request = SaidShape(allow_null=True)
    discrepancy = serializers.CharField(allow_blank=True)
    left_over = LeftOverShape(many=True, help_text="Of another template, without a place in this one.")
    criticals = CriticalOfReport(many=True)
    priors = PriorReport(many=True)
    reads = ReadShape(many=True, help_text="The two reads apart that this report follows from, once both are complete.")


class ReportHeld(ReportShape):
    detail = serializers.CharField()
    code = serializers.CharField()


class ChecksShape(serializers.Serializer):
    version = serializers.IntegerField()
    rules = serializers.CharField(help_text="Version of the rules.")
    problems = ProblemShape(many=True)
    discrepancy = serializers.BooleanField(
        help_text="Signing the final text asks how far it departs from the preliminary."
    )


class VersionShape(serializers.Serializer):
    version = serializers.IntegerField()
    sequence = serializers.IntegerField(help_text="In the chain over all reports.")
    kind = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    based_on = serializers.IntegerField()
    at = serializers.DateTimeField()
    author = serializers.CharField()
    template_version = serializers.IntegerField()
    previous_hash = serializers.CharField()
    hash = serializers.CharField()
    signature = SignatureShape(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    reason_code = serializers.CharField(allow_blank=True)
    content = serializers.JSONField(required=False)
    fills = serializers.JSONField(required=False)
    context = serializers.JSONField(required=False)
    checks = serializers.JSONField(required=False)
    evidence = serializers.JSONField(required=False)


class VersionList(serializers.Serializer):
    versions = VersionShape(many=True)


class ChangeShape(serializers.Serializer):
    field = serializers.CharField()
    label = serializers.CharField()
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)
    parts = serializers.ListField(help_text='["same" | "gone" | "new", text] in order.')


class DifferenceShape(serializers.Serializer):
    version = serializers.IntegerField(help_text="The signed one.")
    author = serializers.CharField()
    changes = ChangeShape(many=True)
