"""The Dutch sentences of the page for the person who signs a manifest, by key."""

from __future__ import annotations

SENTENCES = {
    "s_title": "Correcties om goed te keuren",
    "s_manifest": "Manifest van job {job}",
    "s_lead": "Als u dit goedkeurt, mogen {files} van {studies} worden herschreven, in archief"
    " {archives}.",
    "s_lead_plan": "Gemaakt door {author} op {created}. Geldig tot {expires}.",
    "s_at-rest": "Daarna staat in elk van die bestanden het BSN op de afgesproken plaats: in een"
    " item van OtherPatientIDsSequence, met het BSN als uitgever. PatientID is en blijft het lokale"
    " patiëntnummer.",
    "s_exchange": "Daarna is het BSN in elk van die bestanden de PatientID, met het BSN als"
    " uitgever; het lokale nummer staat ernaast. Zo wordt nooit in het archief zelf geschreven,"
    " alleen in een andere map.",
    "s_own": "Daarna staat het BSN in elk van die bestanden op de plaats die de eigen"
    " plaatsingsinstelling „{target}” noemt.",
    "s_files": "bestanden worden herschreven",
    "s_studies": "studies",
    "s_refused": "studies geweigerd: die blijven zoals ze zijn",
    "s_approved": "goedkeuringen",
    "s_of": "{good} van {required}",
    "s_source": "Elk nummer komt uit de EPD-export van het ziekenhuis. Vlak voor het schrijven"
    " wordt de patiënt per bestand nog eens gecontroleerd; klopt die niet, dan blijft de hele"
    " studie zoals hij is. Al het andere in het bestand, ook het beeld, blijft gelijk, en de oude"
    " bytes kunnen terug.",
    # what stands in the way
    "s_no_more": "Dit manifest kan niet meer worden goedgekeurd of toegepast.",
    "s_expired": "De geldigheid is verlopen op {expires}. Maak een nieuw plan.",
    "s_superseded": "Na een beoordeling is er een ander voor in de plaats gekomen: {successor}.",
    "s_spent": "Het is al in het archief toegepast.",
    "s_stale": "{count} veranderd sinds het plan: die worden overgeslagen. Beter is een nieuw"
    " plan.",
    "s_fresh": "Alle bestanden zijn nog zoals bij het plan: zojuist gecontroleerd.",
    # what changes
    "h_s_changes": "Wat er in de bestanden verandert",
    "s_changes_lead": "Dit is alles wat er gebeurt, van de meest voorkomende wijziging tot de"
    " zeldzaamste. Nummers staan hier niet: gelijke tekens achter # zijn hetzelfde nummer.",
    "s_kind": "{files} van {studies}",
    "s_status": "Nu: {meaning}",
    "s_attribute": "Element",
    "s_before": "Nu",
    "s_after": "Straks",
    "s_from": "Komt uit",
    "s_example": "Voorbeeld om in het PACS op te zoeken, in {archive}: studie",
    "s_former_all": "Bovendien komt in elk bestand een item bij in OriginalAttributesSequence, met"
    " de oude waarden, de tijd en de reden.",
    "s_former_some": "Bovendien komt in de meeste bestanden een item bij in"
    " OriginalAttributesSequence, met de oude waarden, de tijd en de reden.",
    "s_former_none": "De oude waarden worden niet in het bestand bewaard; terugdraaien kan wel.",
    "s_kinds_more": "Nog {count} zeldzamere soorten: remediation show toont ze alle.",
    "s_b_absent": "staat er niet",
    "s_b_other": "iets wat niet klopt",
    "s_a_bsn": "het BSN, met zijn uitgever",
    "s_a_local": "het lokale nummer",
    "s_a_value": "de juiste waarde",
    "s_a_absent": "weg",
    "s_f_crosswalk": "EPD-export",
    "s_f_header": "dit bestand",
    "s_f_job": "instelling van de job",
    "s_f_constant": "vaste waarde",
    # where and when
    "h_s_where": "Welke studies dit zijn",
    "s_where_lead": "Gekozen met: {selection}.",
    "s_where_all": "Er is niets uitgekozen: alles wat gecorrigeerd kan worden.",
    "s_chosen_period": "periode {period} ({when})",
    "s_periods": "Gebroken periodes",
    "s_period_files": "{files} in deze periode",
    "s_outside": "{files} liggen buiten een gebroken periode.",
    "s_by_source": "Bestanden per bron",
    "s_by_month": "Bestanden per maand van de studie",
    "s_by_year": "Bestanden per jaar van de studie",
    "s_c_source": "Bron",
    "s_c_month": "Maand",
    "s_c_year": "Jaar",
    "s_left_out": "Niet te vertellen: {what}.",
    # refused
    "h_s_refused": "Wat geweigerd is, en waarom",
    "s_refused_lead": "{studies} vallen af. Daarin verandert niets.",
    "s_refused_none": "Er is niets geweigerd.",
    # decisions
    "h_s_reviews": "Wat er bij de beoordeling uit is gelaten",
    "s_review": "{by} liet op {at} {studies} eruit ({files}).",
    "s_why": "Reden: {why}",
    "s_parent": "Dit manifest kwam in de plaats van",
    # not done
    "h_s_not_done": "Wat dit niet doet",
    "s_nd_pacs": "De database van het PACS weet hier niet van: laat de leverancier deze studies"
    " opnieuw inlezen of synchroniseren.",
    "s_nd_dicomdir": "DICOMDIR-bestanden naast gecorrigeerde bestanden worden niet bijgewerkt.",
    "s_nd_sent": "Studies die al naar anderen zijn gestuurd, worden niet teruggehaald.",
    "s_nd_pixels": "Beelddata worden niet gelezen: tekst die in het beeld staat, blijft.",
    "s_statement": "Afgesproken met de PACS-leverancier: {statement}",
    "s_no_statement": "Er is niets afgesproken met de PACS-leverancier: in het archief zelf kan dit"
    " manifest niet worden geschreven, alleen naar een andere map.",
    # who
    "h_s_who": "Wie, en tot wanneer",
    "s_author": "Gemaakt door",
    "s_author_note": "{author} kan dit zelf niet goedkeuren",
    "s_responsible": "Onder verantwoordelijkheid van",
    "s_created": "Gemaakt op",
    "s_expires": "Geldig tot",
    "s_archives": "Archief en kenmerk",
    "s_target": "Doelplaatsing",
    "s_digest": "Digest: dit is wat u tekent",
    "s_approvals": "Goedkeuringen tot nu toe",
    "s_approvals_none": "Nog niemand heeft dit goedgekeurd.",
    "s_c_who": "Wie",
    "s_c_state": "Stand",
    "s_counts": "telt mee",
    "s_revoked": "ingetrokken",
    "s_not_good": "telt niet mee",
    "s_unchecked": "niet getoetst: het jobbestand is hier niet te lezen",
    # how
    "h_s_how": "Zo keurt u goed",
    "s_how_lead": "Kloppen aantallen, periode en voorbeelden met wat u verwacht? Dan keurt u goed"
    " met uw eigen naam en uw eigen sleutel:",
    "s_name": "Uw Naam",
    "s_key_file": "uw.key",
    "s_how_needed": "Nodig: {required}, van verschillende mensen met verschillende sleutels, geen"
    " van hen {author}.",
    "s_how_revoke": "Van gedachten veranderd? Zolang het niet is toegepast, trekt u uw goedkeuring"
    " in:",
    "s_reason": "waarom",
    "s_how_exclude": "Hoort een studie er niet bij? Dan laat u haar eruit; dat geeft een nieuw"
    " manifest, dat opnieuw moet worden goedgekeurd:",
    "s_foot": "Dit bestand haalt niets op en stuurt niets weg. Het bevat geen BSN's, namen of"
    " geboortedatums; studienummers zijn ook persoonsgegevens: behandel het als vertrouwelijk.",
}
