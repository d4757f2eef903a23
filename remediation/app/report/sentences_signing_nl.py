"""The Dutch sentences of the page for the person who signs a manifest, by key."""

from __future__ import annotations

SENTENCES = {
    "sign_title": "Correcties om goed te keuren",
    "sign_manifest": "Manifest van job {job}",
    "sign_lead": "Als u dit goedkeurt, mogen {files} van {studies} worden herschreven, in archief"
    " {archives}.",
    "sign_lead_plan": "Gemaakt door {author} op {created}. Geldig tot {expires}.",
    "sign_at-rest": "Daarna staat in elk van die bestanden het BSN op de afgesproken plaats: in"
    " een item van OtherPatientIDsSequence, met het BSN als uitgever. PatientID is en blijft het"
    " lokale patiëntnummer.",
    "sign_exchange": "Daarna is het BSN in elk van die bestanden de PatientID, met het BSN als"
    " uitgever; het lokale nummer staat ernaast. Zo wordt nooit in het archief zelf geschreven,"
    " alleen in een andere map.",
    "sign_own": "Daarna staat het BSN in elk van die bestanden op de plaats die de eigen"
    " plaatsingsinstelling „{target}” noemt.",
    "sign_files": "bestanden worden herschreven",
    "sign_studies": "studies",
    "sign_refused": "studies geweigerd: die blijven zoals ze zijn",
    "sign_approved": "goedkeuringen",
    "sign_of": "{good} van {required}",
    "sign_source": "Elk nummer komt uit de EPD-export van het ziekenhuis. Vlak voor het schrijven"
    " wordt de patiënt per bestand nog eens gecontroleerd; klopt die niet, dan blijft de hele"
    " studie zoals hij is. Al het andere in het bestand, ook het beeld, blijft gelijk, en de oude"
    " bytes kunnen terug.",
    # what stands in the way
    "sign_no_more": "Dit manifest kan niet meer worden goedgekeurd of toegepast.",
    "sign_expired": "De geldigheid is verlopen op {expires}. Maak een nieuw plan.",
    "sign_superseded": "Na een beoordeling is er een ander voor in de plaats gekomen: {successor}.",
    "sign_spent": "Het is al in het archief toegepast.",
    "sign_stale": "{count} veranderd sinds het plan: die worden overgeslagen. Beter is een nieuw"
    " plan.",
    "sign_fresh": "Alle bestanden zijn nog zoals bij het plan: zojuist gecontroleerd.",
    # what changes
    "h_sign_changes": "Wat er in de bestanden verandert",
    "sign_changes_lead": "Dit is alles wat er gebeurt, van de meest voorkomende wijziging tot de"
    " zeldzaamste. Nummers staan hier niet: gelijke tekens achter # zijn hetzelfde nummer.",
    "sign_kind": "{files} van {studies}",
    "sign_status": "Nu: {meaning}",
    "sign_attribute": "Element",
    "sign_before": "Nu",
    "sign_after": "Straks",
    "sign_from": "Komt uit",
    "sign_example": "Voorbeeld om in het PACS op te zoeken, in {archive}: studie",
    "sign_former_all": "Bovendien komt in elk bestand een item bij in OriginalAttributesSequence,"
    " met de oude waarden, de tijd en de reden.",
    "sign_former_some": "Bovendien komt in de meeste bestanden een item bij in"
    " OriginalAttributesSequence, met de oude waarden, de tijd en de reden.",
    "sign_former_none": "De oude waarden worden niet in het bestand bewaard; terugdraaien kan wel.",
    "sign_kinds_more": "Nog {count} zeldzamere soorten: remediation show toont ze alle.",
    "sign_b_absent": "staat er niet",
    "sign_b_other": "iets wat niet klopt",
    "sign_a_bsn": "het BSN, met zijn uitgever",
    "sign_a_local": "het lokale nummer",
    "sign_a_value": "de juiste waarde",
    "sign_a_absent": "weg",
    "sign_f_crosswalk": "EPD-export",
    "sign_f_header": "dit bestand",
    "sign_f_job": "instelling van de job",
    "sign_f_constant": "vaste waarde",
    # where and when
    "h_sign_where": "Welke studies dit zijn",
    "sign_where_lead": "Gekozen met: {selection}.",
    "sign_where_all": "Er is niets uitgekozen: alles wat gecorrigeerd kan worden.",
    "sign_chosen_period": "periode {period} ({when})",
    "sign_periods": "Gebroken periodes",
    "sign_period_files": "{files} in deze periode",
    "sign_outside": "{files} liggen buiten een gebroken periode.",
    "sign_by_source": "Bestanden per bron",
    "sign_by_month": "Bestanden per maand van de studie",
    "sign_by_year": "Bestanden per jaar van de studie",
    "sign_c_source": "Bron",
    "sign_c_month": "Maand",
    "sign_c_year": "Jaar",
    "sign_left_out": "Niet te vertellen: {what}.",
    # refused
    "h_sign_refused": "Wat geweigerd is, en waarom",
    "sign_refused_lead": "{studies} vallen af. Daarin verandert niets.",
    "sign_refused_none": "Er is niets geweigerd.",
    # decisions
    "h_sign_reviews": "Wat er bij de beoordeling uit is gelaten",
    "sign_review": "{by} liet op {at} {studies} eruit ({files}).",
    "sign_why": "Reden: {why}",
    "sign_parent": "Dit manifest kwam in de plaats van",
    # not done
    "h_sign_not_done": "Wat dit niet doet",
    "sign_nd_pacs": "De database van het PACS weet hier niet van: laat de leverancier deze"
    " studies opnieuw inlezen of synchroniseren.",
    "sign_nd_dicomdir": "DICOMDIR-bestanden naast gecorrigeerde bestanden worden niet bijgewerkt.",
    "sign_nd_sent": "Studies die al naar anderen zijn gestuurd, worden niet teruggehaald.",
    "sign_nd_pixels": "Beelddata worden niet gelezen: tekst die in het beeld staat, blijft.",
    "sign_statement": "Afgesproken met de PACS-leverancier: {statement}",
    "sign_no_statement": "Er is niets afgesproken met de PACS-leverancier: in het archief zelf"
    " kan dit manifest niet worden geschreven, alleen naar een andere map.",
    # who
    "h_sign_who": "Wie, en tot wanneer",
    "sign_author": "Gemaakt door",
    "sign_author_note": "{author} kan dit zelf niet goedkeuren",
    "sign_responsible": "Onder verantwoordelijkheid van",
    "sign_created": "Gemaakt op",
    "sign_expires": "Geldig tot",
    "sign_archives": "Archief en kenmerk",
    "sign_target": "Doelplaatsing",
    "sign_digest": "Digest: dit is wat u tekent",
    "sign_approvals": "Goedkeuringen tot nu toe",
    "sign_approvals_none": "Nog niemand heeft dit goedgekeurd.",
    "sign_c_who": "Wie",
    "sign_c_state": "Stand",
    "sign_counts": "telt mee",
    "sign_revoked": "ingetrokken",
    "sign_not_good": "telt niet mee",
    "sign_unchecked": "niet getoetst: het jobbestand is hier niet te lezen",
    # how
    "h_sign_how": "Zo keurt u goed",
    "sign_how_lead": "Kloppen aantallen, periode en voorbeelden met wat u verwacht? Dan keurt u"
    " goed met uw eigen naam en uw eigen sleutel:",
    "sign_name": "Uw Naam",
    "sign_key_file": "uw.key",
    "sign_how_needed": "Nodig: {required}, van verschillende mensen met verschillende sleutels,"
    " geen van hen {author}.",
    "sign_how_revoke": "Van gedachten veranderd? Zolang het niet is toegepast, trekt u uw"
    " goedkeuring in:",
    "sign_reason": "waarom",
    "sign_how_exclude": "Hoort een studie er niet bij? Dan laat u haar eruit; dat geeft een nieuw"
    " manifest, dat opnieuw moet worden goedgekeurd:",
    "sign_foot": "Dit bestand haalt niets op en stuurt niets weg. Het bevat geen BSN's, namen of"
    " geboortedatums; studienummers zijn ook persoonsgegevens: behandel het als vertrouwelijk.",
}
