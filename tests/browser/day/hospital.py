"""What surrounds a reading room in a test: a system that sends orders, and judges of what comes out."""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pydicom
from fhir.resources.R4B import get_fhir_model_class
from hl7apy.parser import parse_message


def order_message(*, patient: str, name: str, born: str, sex: str, study: str, accession: str) -> str:
    """ORM^O01: an MR of the brain, urgent as a stroke."""
    obr = [""] * 32
    obr[1], obr[2], obr[3], obr[4] = "1", "PLACER-1", "FILLER-1", "MRHEAD^MR brain^L"
    obr[13], obr[16], obr[18], obr[24] = "Weakness of the left arm.", "R-77^Brandt^Bob", accession, "MR"
    obr[27] = "^^^^^S"
    return (
        "MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20261122083000||ORM^O01^ORM_O01|DAY-1|P|2.5.1||||||UNICODE UTF-8\r"
        f"PID|1||{patient}||{name}||{born}|{sex}\rORC|NW|PLACER-1|FILLER-1\r"
        f"OBR|{'|'.join(obr[1:])}\rZDS|{study}^100^Application^DICOM\r"
    )


def send(port: int, message: str) -> str:
    """One message over MLLP; the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(b"\x0b" + message.encode() + b"\x1c\r")
        heard = b""
        while not heard.endswith(b"\x1c\r"):
            heard += line.recv(65536)
    return heard[1:-2].decode()


def judge(kind: str, data: bytes, folder: Path) -> None:
    """Fails unless somebody else's program finds an export sound."""
    if kind == "html":
        assert data.lstrip()[:9].lower() == b"<!doctype"
    elif kind == "pdf":
        assert data.startswith(b"%PDF-")
    elif kind == "sr":
        report = pydicom.dcmread(io.BytesIO(data))
        assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "VERIFIED")
        (folder / "report.dcm").write_bytes(data)
        validator = shutil.which("dciodvfy")
        assert validator, "dciodvfy comes with the tests"
        told = subprocess.run([validator, folder / "report.dcm"], capture_output=True, text=True, check=False)
        assert not [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]
    elif kind == "fhir":
        bundle: Any = get_fhir_model_class("Bundle").model_validate_json(data)
        assert any(entry.resource.get_resource_type() == "DiagnosticReport" for entry in bundle.entry)
    else:
        text = data.decode().replace("\r\n", "\r").replace("\n", "\r")
        assert parse_message(text, find_groups=True).validate()
