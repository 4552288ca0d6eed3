"""Forty texts that want to be more than text, and forty places of a DICOM study where a file may hold them."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from tests.browser.made import Made, code, item

STRINGS: tuple[str, ...] = (
    # elements, handlers, addresses
    "<script>window.struck=1</script>",
    "<img src=x onerror=window.struck=2>",
    '"><svg/onload=window.struck=3>',
    "'><body onload='window.struck=4'>",
    "<iframe srcdoc='<script>parent.struck=5</script>'></iframe>",
    '<a href="javascript:window.struck=6" autofocus onfocus="window.struck=6">x</a>',
    "javascript:window.struck=7",
    "</script><script>window.struck=8</script>",
    "</title><script>window.struck=9</script>",
    "</textarea><img src=x onerror=window.struck=10>",
    "<!--><img src=x onerror=window.struck=11>-->",
    "<![CDATA[<img src=x onerror=window.struck=12>]]>",
    "<details open ontoggle=window.struck=13>",
    "<svg><animate onbegin=window.struck=14 attributeName=x>",
    "<math><mtext><table><mglyph><style><img src onerror=window.struck=15>",
    "<object data='data:text/html,<script>window.struck=16</script>'>",
    "<base href='//evil.invalid/'>",
    "<meta http-equiv=refresh content='0;url=//evil.invalid/'>",
    "<form action=//evil.invalid><input autofocus onfocus=window.struck=19>",
    "&lt;script&gt;window.struck=20&lt;/script&gt;",
    # templates of every kind
    "{{ request.user.password }}{% debug %}{{ 7|add:'7' }}",
    "${window.struck=22}`${window.struck=22}`",
    "{{constructor.constructor('window.struck=23')()}}",
    '#eval("1+1") #read("/etc/passwd") $ x $ *b*',
    # style sheets
    "</style><style>*{background:url(//evil.invalid/)}",
    "x;background:url(javascript:window.struck=26);",
    "expression(window.struck=27)",
    # lines, nothing, direction, halves
    "x\r\nSet-Cookie: struck=28\r\n\r\n<script>window.struck=28</script>",
    "nul\x00<img src=x onerror=window.struck=29>",
    "\u202egnp.exe\u2066<b onclick=window.struck=30>\u2069",
    "\ufeff\u2028window.struck=31\u2029\u200b",
    # spreadsheets
    "=cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd|' /C calc'!A0",
    '+HYPERLINK("//evil.invalid","x")',
    # paths, databases, markup, messages
    "../../../../etc/passwd",
    "'; DROP TABLE viewer_study; --",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "A|B^C&D~E\\F\rPID|1||EVIL",
    "<img src=x onerror=window.struck=39>^<b>^<i>^=^^==",
    "<img src=x onerror=window.struck=40>" * 1800,
)
assert len(STRINGS) == 40

PLACES: tuple[str, ...] = (
    # of a patient
    *("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthName", "OtherPatientIDs", "EthnicGroup"),
    *("PatientComments", "AdditionalPatientHistory", "Occupation", "PatientAddress"),
    # of a study
    *("StudyDescription", "AccessionNumber", "StudyID", "ReferringPhysicianName", "NameOfPhysiciansReadingStudy"),
    *("AdmittingDiagnosesDescription", "StudyComments", "RequestingService", "RequestedProcedureDescription"),
    # of a series
    *("SeriesDescription", "ProtocolName", "BodyPartExamined", "PerformingPhysicianName", "OperatorsName"),
    *("PerformedProcedureStepDescription", "SequenceName", "PatientPosition", "Laterality"),
    # of equipment and of the picture
    *("Manufacturer", "ManufacturerModelName", "StationName", "InstitutionName", "InstitutionAddress"),
    *("InstitutionalDepartmentName", "DeviceSerialNumber", "SoftwareVersions", "ConvolutionKernel"),
    *("ImageComments", "ImageType", "ContrastBolusAgent"),
)
assert len(set(PLACES)) == 40

SINGLE = {"LT", "ST", "UT"}
"""VRs in which a backslash is a letter (PS3.5 6.2)."""
SPLITTING = str.maketrans({"\\": "/"})
LONGEST = {
    "LO": 4000,
    "SH": 4000,
    "CS": 4000,
    "PN": 4000,
    "PatientID": 64,
    "IssuerOfPatientID": 64,
    "AccessionNumber": 64,
}
"""Longer than the VR allows; but no whole object is taken in whose patient or order takes more than 64 characters to name."""


class HostileStudy(Made):
    """Study `number`: place p holds string (p + number) of the table, so that forty studies hold each in each."""

    def __init__(self, folder: Path, number: int) -> None:
        self.turn = number % len(STRINGS)
        super().__init__(folder, number)

    def text(self, place: int) -> str:
        return STRINGS[(place + self.turn) % len(STRINGS)]

    def save(self, made: Dataset, name: str) -> Path:
        made.SpecificCharacterSet = "ISO_IR 192"
        for place, keyword in enumerate(PLACES):
            vr = pydicom.datadict.dictionary_VR(keyword)
            text = self.text(place) if vr in SINGLE else self.text(place).translate(SPLITTING)
            if vr == "CS":  # always in the default repertoire (PS3.5 6.1.2.2)
                text = text.encode("ascii", "replace").decode()
            made.add_new(keyword, vr, text[: LONGEST.get(keyword, LONGEST.get(vr, 10_000))])
        private = made.private_block(0x0029, "<script>window.struck=1</script>", create=True)
        private.add_new(1, "LO", self.text(3).translate(SPLITTING)[:4000])
        return super().save(made, name)

    def documents(self) -> None:
        """One object of each kind that the viewer reads as text; each with strings of its own."""
        self.key_objects([2, 0])
        self.state()
        self.pdf()
        self.plan()
        made = self.bare(3, ComprehensiveSRStorage, "SR")
        made.ValueType, made.ContinuityOfContent = "CONTAINER", "SEPARATE"
        made.CompletionFlag, made.VerificationFlag = "COMPLETE", "UNVERIFIED"
        made.ConceptNameCodeSequence = [code("126000", "DCM", self.text(5)[:4000].translate(SPLITTING))]
        made.ContentSequence = [
            item("TEXT", "121071", self.text(place)[:60].translate(SPLITTING), TextValue=text)
            for place, text in enumerate(STRINGS)
        ]
        made.CurrentRequestedProcedureEvidenceSequence = [self.evidence()]
        self.save(made, "sr")
