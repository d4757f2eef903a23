"""Texts of the worklists, per language: names, headings, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping

TEXTS: Mapping[str, Mapping[str, str]] = {
    "nl": {
        "desk": "registratie",
        "mixups": "verwisselingen",
        "leaks": "lekken",
        "vendor": "leverancier",
        "left_out": "{count} regels niet opgenomen: eerst deze, en dan opnieuw `match`",
        "number": "lokaal nummer",
        "issuer": "uitgever",
        "archive": "archief",
        "reason": "reden",
        "means": "wat er is",
        "todo": "wat te doen",
        "studies": "studies",
        "right": "studies die er goed uitzien",
        "first": "eerste studie",
        "last": "laatste studie",
        "source": "bron",
        "example": "StudyInstanceUID",
        "place": "plaats",
        "creator": "private creator",
        "kind": "soort",
        "findings": "bevindingen",
        "period": "periode",
        "axis": "dagen van",
        "start": "vanaf",
        "end": "tot",
        "status": "status",
        "bsn_issuer": "uitgever bij het BSN",
        "maker": "fabrikant",
        "software": "software",
        "examples": "voorbeelden",
        "axis_study": "studiedatum",
        "axis_file": "bestandsdatum",
    },
    "en": {
        "desk": "registration",
        "mixups": "mix-ups",
        "leaks": "leaks",
        "vendor": "vendor",
        "left_out": "{count} lines left out: these first, then `match` again",
        "number": "local number",
        "issuer": "issuer",
        "archive": "archive",
        "reason": "reason",
        "means": "what it is",
        "todo": "what to do",
        "studies": "studies",
        "right": "studies that look right",
        "first": "first study",
        "last": "last study",
        "source": "source",
        "example": "StudyInstanceUID",
        "place": "place",
        "creator": "private creator",
        "kind": "kind",
        "findings": "findings",
        "period": "period",
        "axis": "days of",
        "start": "from",
        "end": "until",
        "status": "status",
        "bsn_issuer": "issuer beside the BSN",
        "maker": "manufacturer",
        "software": "software",
        "examples": "examples",
        "axis_study": "study date",
        "axis_file": "file date",
    },
}

# By reason: what whoever has the list does about it.
TODO: Mapping[str, Mapping[str, str]] = {
    "nl": {
        "no-crosswalk-entry": "zoek de patiënt op in het EPD; staat die er, neem haar of hem op in"
        " de export; zo niet, vraag waar de studie vandaan komt",
        "outside-validity": "zoek uit van wie het nummer op de dag van de studie was, en verbeter"
        " de geldigheid in het EPD",
        "test-number": "haal de testpatiënt uit het archief, of het nummer uit het EPD",
        "homonym": "vul in het EPD de voorletters aan van deze patiënt en van de naamgenoot",
        "no-number": "vraag het BSN op, stel het vast en verifieer het in het EPD; of leg de reden"
        " vast dat er geen is",
        "not-verified": "verifieer identiteit en BSN (SBV-Z) en zet de status in het EPD",
        "invalid-number": "verbeter het BSN in het EPD aan de hand van een identiteitsbewijs",
        "placeholder-number": "vervang het invulnummer in het EPD door het BSN, of maak het leeg",
        "two-numbers": "zoek uit welk van de twee BSN's van de patiënt is, en verbeter het andere",
        "shared-number": "zoek uit of het één persoon is (voeg samen) of twee (verbeter het BSN)",
        "header-disagrees": "houd het beeld en beide personen naast elkaar: van wie is de studie?"
        " Meld een verwisseling volgens het protocol",
        "birth-date-clash": "vergelijk studie en EPD: een tikfout in de datum, of een andere"
        " persoon? Meld een verwisseling volgens het protocol",
        "name-clash": "vergelijk studie en EPD: een naamswijziging of schrijfwijze, of een andere"
        " persoon? Meld een verwisseling volgens het protocol",
        "sex-clash": "vergelijk studie en EPD: een invoerfout, of een andere persoon? Meld een"
        " verwisseling volgens het protocol",
    },
    "en": {
        "no-crosswalk-entry": "look the patient up in the EPD; if there, add them to the export; if"
        " not, ask where the study comes from",
        "outside-validity": "find out whose the number was on the day of the study, and correct the"
        " validity in the EPD",
        "test-number": "take the test patient out of the archive, or the number out of the EPD",
        "homonym": "add the initials of this patient and of the namesake to the EPD",
        "no-number": "ask for the BSN, establish and verify it in the EPD; or record the reason why"
        " there is none",
        "not-verified": "verify identity and BSN (SBV-Z), and set the status in the EPD",
        "invalid-number": "correct the BSN in the EPD by a proof of identity",
        "placeholder-number": "replace the placeholder in the EPD by the BSN, or empty it",
        "two-numbers": "find out which of the two BSNs is the patient's, and correct the other",
        "shared-number": "find out whether this is one person (merge) or two (correct the BSN)",
        "header-disagrees": "hold the images and both persons side by side: whose study is it?"
        " Report a mix-up by the protocol",
        "birth-date-clash": "compare study and EPD: a typing error in the date, or another person?"
        " Report a mix-up by the protocol",
        "name-clash": "compare study and EPD: a change or another spelling of the name, or another"
        " person? Report a mix-up by the protocol",
        "sex-clash": "compare study and EPD: an entry error, or another person? Report a mix-up by"
        " the protocol",
    },
}
