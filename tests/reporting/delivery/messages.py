"""Messages as a hospital's systems send them, for tests."""

from __future__ import annotations


def orm(
    control_id: str = "M-1",
    *,
    act: str = "NW",
    placer: str = "P-1",
    filler: str = "F-1",
    accession: str = "ACC-1",
    patient: str = "4711",
    name: str = "Müller^Zoë",
    procedure: str = "CTHEAD^CT head^L",
    priority: str = "R",
    uid: str = "",
    sender: str = "RIS|WARD",
    character_set: str = "UNICODE UTF-8",
) -> str:
    obr = [""] * 32
    obr[1], obr[2], obr[3], obr[4] = "1", placer, filler, procedure
    obr[13], obr[16], obr[18], obr[24], obr[27] = "fall", "R-77^Brandt^Bob", accession, "CT", f"^^^^^{priority}"
    return (
        f"MSH|^~\\&|{sender}|FARVIEW|SITE|20260504123000||ORM^O01^ORM_O01|{control_id}|P|2.3.1||||||{character_set}\r"
        f"PID|1||{patient}^^^HOSP^MR||{name}||19570312|F\r"
        f"ORC|{act}|{placer}|{filler}\r"
        f"OBR|{'|'.join(obr[1:])}\r" + (f"ZDS|{uid}^100^Application^DICOM\r" if uid else "")
    )


def adt(
    control_id: str = "A-1",
    event: str = "A08",
    *,
    patient: str = "4711",
    name: str = "Meier^Zoë",
    birth_date: str = "19570312",
    sex: str = "F",
    more: str = "",
) -> str:
    return (
        f"MSH|^~\\&|RIS|WARD|FARVIEW|SITE|20260504123000||ADT^{event}|{control_id}|P|2.5||||||UNICODE UTF-8\r"
        f"EVN|{event}|20260504\rPID|1||{patient}^^^HOSP^MR||{name}||{birth_date}|{sex}\r{more}"
    )
