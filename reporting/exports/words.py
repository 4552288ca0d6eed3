"""The fixed words on reports, in the languages of the site. What a reader wrote is never translated."""

from __future__ import annotations

LANGUAGES = ("en", "de", "es", "fr", "zh-hans")

_TABLE: dict[str, tuple[str, str, str, str, str]] = {
    # states
    "draft": ("Draft", "Entwurf", "Borrador", "Brouillon", "草稿"),
    "preliminary": (
        "Preliminary report. It may still change.",
        "Vorläufiger Befund. Er kann sich noch ändern.",
        "Informe preliminar. Aún puede cambiar.",
        "Compte rendu provisoire. Il peut encore changer.",
        "初步报告，内容仍可能更改。",
    ),
    "pending_cosign": (
        "Preliminary report, not yet countersigned. It may still change.",
        "Vorläufiger Befund, noch nicht gegengezeichnet. Er kann sich noch ändern.",
        "Informe preliminar, aún sin refrendar. Aún puede cambiar.",
        "Compte rendu provisoire, pas encore contresigné. Il peut encore changer.",
        "初步报告，尚未复签，内容仍可能更改。",
    ),
    "final": ("Final report", "Endgültiger Befund", "Informe definitivo", "Compte rendu définitif", "最终报告"),
    "appended": (
        "Final report with an addendum",
        "Endgültiger Befund mit Nachtrag",
        "Informe definitivo con adenda",
        "Compte rendu définitif avec addendum",
        "最终报告（含补充）",
    ),
    "corrected": (
        "Corrected report. It replaces every earlier version.",
        "Berichtigter Befund. Er ersetzt jede frühere Fassung.",
        "Informe corregido. Sustituye a toda versión anterior.",
        "Compte rendu rectifié. Il remplace toute version antérieure.",
        "更正报告，取代所有先前版本。",
    ),
    "cancelled": (
        "Cancelled. There is no report of this examination here.",
        "Storniert. Zu dieser Untersuchung liegt hier kein Befund vor.",
        "Anulado. Aquí no hay informe de este examen.",
        "Annulé. Il n'y a pas ici de compte rendu de cet examen.",
        "已取消，此检查在此没有报告。",
    ),
    "entered_in_error": (
        "Entered in error. Do not use this report.",
        "Irrtümlich erstellt. Diesen Befund nicht verwenden.",
        "Introducido por error. No utilice este informe.",
        "Saisi par erreur. Ne pas utiliser ce compte rendu.",
        "录入错误，请勿使用本报告。",
    ),
    "images_corrected": (
        "The images of this report were corrected after it was signed. Ask whether it still holds.",
        "Die Bilder zu diesem Befund wurden nach der Unterschrift berichtigt. Bitte nachfragen, ob er noch gilt.",
        "Las imágenes de este informe se corrigieron después de su firma. Pregunte si sigue siendo válido.",
        "Les images de ce compte rendu ont été corrigées après sa signature. Demandez s'il est toujours valable.",
        "本报告签署后其图像已被更正，请询问报告是否仍然有效。",
    ),
    "withdrawn": (
        "An image of this picture was withdrawn after the report was signed.",
        "Ein Bild dieser Abbildung wurde nach der Unterschrift zurückgezogen.",
        "Una imagen de esta figura se retiró después de firmar el informe.",
        "Une image de cette figure a été retirée après la signature.",
        "签署报告后，此图所用的图像已被撤回。",
    ),
    "critical_open": (
        "Critical result: nobody has confirmed yet that it was heard.",
        "Kritischer Befund: Die Kenntnisnahme ist noch nicht bestätigt.",
        "Resultado crítico: aún no se ha confirmado su recepción.",
        "Résultat critique : sa réception n'est pas encore confirmée.",
        "危急值：尚未确认收到。",
    ),
    "critical_heard": (
        "Critical result: it was heard and read back, and is not closed yet.",
        "Kritischer Befund: zur Kenntnis genommen und wiederholt, noch nicht abgeschlossen.",
        "Resultado crítico: recibido y repetido, aún sin cerrar.",
        "Résultat critique : reçu et relu, pas encore clos.",
        "危急值：已确认收到并复述，尚未结束。",
    ),
    # the examination
    "patient": ("Patient", "Patient", "Paciente", "Patient", "患者"),
    "no_name": ("No name", "Ohne Namen", "Sin nombre", "Sans nom", "无姓名"),
    "patient_id": ("Patient ID", "Patienten-ID", "ID de paciente", "ID patient", "患者编号"),
    "birth_date": ("Date of birth", "Geburtsdatum", "Fecha de nacimiento", "Date de naissance", "出生日期"),
    "sex": ("Sex", "Geschlecht", "Sexo", "Sexe", "性别"),
    "sex_M": ("male", "männlich", "masculino", "masculin", "男"),
    "sex_F": ("female", "weiblich", "femenino", "féminin", "女"),
    "sex_O": ("other", "divers", "otro", "autre", "其他"),
    "examination": ("Examination", "Untersuchung", "Examen", "Examen", "检查"),
    "examined_at": ("Examined", "Untersucht am", "Fecha del examen", "Date de l'examen", "检查日期"),
    "accession": ("Accession number", "Auftragsnummer", "Número de acceso", "Numéro d'accès", "检查号"),
    "order": ("Order", "Anforderung", "Solicitud", "Demande", "申请单"),
    "referrer": ("Referring physician", "Zuweisung", "Médico solicitante", "Médecin demandeur", "申请医师"),
    "institution": ("Performed at", "Durchgeführt in", "Realizado en", "Réalisé à", "检查机构"),
    "question": ("Clinical question", "Fragestellung", "Pregunta clínica", "Question clinique", "临床问题"),
    "reason": ("Reason", "Grund", "Motivo", "Motif", "原因"),
    # the report
    "version": ("Version", "Fassung", "Versión", "Version", "版本"),
    "addendum": ("Addendum", "Nachtrag", "Adenda", "Addendum", "补充"),
    "picture": ("Picture", "Bild", "Imagen", "Image", "图"),
    "pictures": ("Pictures", "Bilder", "Imágenes", "Images", "图像"),
    "drawn_by": ("drawn by", "gezeichnet von", "dibujada por", "dessinée par", "绘制："),
    "differs": (
        "Drawn today, this picture would look different.",
        "Heute gezeichnet, sähe dieses Bild anders aus.",
        "Dibujada hoy, esta imagen sería distinta.",
        "Dessinée aujourd'hui, cette image serait différente.",
        "今天重新绘制，此图会有所不同。",
    ),
    "criticals": ("Critical results", "Kritische Befunde", "Resultados críticos", "Résultats critiques", "危急值"),
    "minutes": ("within minutes", "binnen Minuten", "en minutos", "en quelques minutes", "数分钟内"),
    "hours": ("within hours", "binnen Stunden", "en horas", "en quelques heures", "数小时内"),
    "days": ("within days", "binnen Tagen", "en días", "en quelques jours", "数天内"),
    "found_at": ("found", "festgestellt", "hallado", "constaté", "发现于"),
    "told_to": ("told to", "mitgeteilt an", "comunicado a", "communiqué à", "告知"),
    "read_back": ("read back", "wiederholt", "repetido", "relu", "已复述"),
    "not_read_back": ("not read back", "nicht wiederholt", "sin repetir", "non relu", "未复述"),
    "acknowledged_at": ("acknowledged", "bestätigt", "confirmado", "confirmé", "确认于"),
    "closed_at": ("closed", "abgeschlossen", "cerrado", "clos", "结束于"),
    # signatures
    "signatures": ("Signatures", "Unterschriften", "Firmas", "Signatures", "签名"),
    "signed": (
        "Signed electronically",
        "Elektronisch signiert",
        "Firmado electrónicamente",
        "Signé électroniquement",
        "电子签名",
    ),
    "role_radiologist": ("Radiologist", "Radiologie", "Radiología", "Radiologie", "放射科医师"),
    "role_resident": ("Resident", "in Weiterbildung", "Residente", "Interne", "住院医师"),
    "role_admin": ("Administrator", "Verwaltung", "Administración", "Administration", "管理员"),
    "author": ("author", "Autor/in", "autor/a", "auteur", "作者"),
    "co-signer": ("co-signer", "Gegenzeichnung", "refrendo", "contresignataire", "复签"),
    "verified": ("verified", "verifiziert", "verificado", "vérifié", "已审核"),
    "correction": ("correction", "Berichtigung", "corrección", "rectification", "更正"),
    "returned": ("returned", "zurückgegeben", "devuelto", "renvoyé", "退回"),
    "meaning_addendum": ("addendum", "Nachtrag", "adenda", "addendum", "补充"),
    "meaning_cancelled": ("cancelled", "storniert", "anulado", "annulé", "已取消"),
    "entered in error": ("entered in error", "irrtümlich erstellt", "introducido por error", "saisi par erreur", "录入错误"),
    "page": ("Page", "Seite", "Página", "Page", "页"),
}  # fmt: skip

WORDS: dict[str, dict[str, str]] = {
    language: {key: row[place] for key, row in _TABLE.items()} for place, language in enumerate(LANGUAGES)
}


def words_in(language: str) -> dict[str, str]:
    """The table in a language; of another than these in English."""
    name = language.casefold().replace("_", "-")
    short = name.partition("-")[0]
    return WORDS.get(name) or WORDS.get("zh-hans" if short == "zh" else short) or WORDS["en"]


def tag_of(language: str) -> str:
    """The language of those words as a language tag (RFC 5646)."""
    chosen = next(name for name, table in WORDS.items() if table is words_in(language))
    return {"zh-hans": "zh-Hans"}.get(chosen, chosen)
