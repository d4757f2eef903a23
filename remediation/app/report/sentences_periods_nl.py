"""Dutch sentences and words for periods, their edges and causes, events, and places."""

from __future__ import annotations

SENTENCES = {
    # days, changes, odds
    "between_days": "tussen {first} en {last}",
    "when_between": "{between} (95 % zeker), het waarschijnlijkst op {day}",
    "when_sure": "op {day} (95 % zeker, op de dag nauwkeurig)",
    "when_day": "op {day}",
    "odds_less": "minder dan één keer op {times}",
    "odds_about": "ongeveer één keer op {times}",
    "change_cell": "{points} ({interval})",
    "change": "{points} punten, interval {interval}",
    # edges
    "begun_jump": "De periode begon {when}: de dekking zakte in één keer.",
    "begun_drift": "De periode begon {when}: de dekking zakte langzaam, niet in één keer.",
    "begun_first": "Het was zo vanaf het begin van de gegevens, op {day}: er is niets van ervoor"
    " om mee te vergelijken.",
    "ended_jump": "De periode eindigde {when}: de dekking steeg in één keer.",
    "ended_drift": "De periode eindigde {when}: de dekking steeg langzaam, niet in één keer.",
    "ended_open": "De periode loopt nog: de gegevens houden erin op, op {day}.",
    "ended_stopped": "De periode is niet geëindigd: de studies van deze bron houden erin op, op"
    " {day}.",
    "ended_provisional": "Of de periode op {day} eindigde staat nog niet vast: de laatste maanden,"
    " die beter lijken, zijn voorlopig.",
    "edge_open": "loopt nog",
    "edge_provisional": "staat nog niet vast",
    "edge_stopped": "de bron houdt op",
    "edge_first": "begin van de gegevens",
    "edge_slow": "{margin}, langzaam",
    "cell_stopped": "gestopt {month}",
    "edges": "begin: {begin}; einde: {end}",
    # the story
    "title_period": "Periode {period}, {source}, {when}",
    "axis_file": "De dagen zijn die waarop bestanden zijn geschreven, lang na hun studies; het zijn"
    " niet de dagen van de studies.",
    "level": "Erin is de dekking {inside} (95%-interval {interval}; {studies}).",
    "level_fall": "De dekking ging van {before} naar {inside} (95%-interval {interval}; {studies}"
    " in de periode).",
    "level_after": "Erna is de dekking {after}.",
    "instead": "Wat er in plaats daarvan staat, is meestal {status}: {meaning}.",
    "steps": "Binnen de periode ging de dekking in {count} stappen: {steps}.",
    "step": "vanaf {day} {share} ({studies})",
    "rewritten": "{share} van de gebroken studies zit in bestanden die zijn geschreven van {days},"
    " lang na de studies: bij het herschrijven ging het nummer verloren; het lag niet aan de jaren"
    " zelf.",
    "near": "De dichtstbijzijnde gebeurtenis uit het jobbestand: {event}.",
    "near_effect": "Het oordeel over die gebeurtenis voor deze bron: {effect}.",
    "near_none": "Binnen 180 dagen van de grenzen ligt geen gebeurtenis uit het jobbestand.",
    "cause_from": "Vanaf {day} {clauses}.",
    "clauses": "{first}; ook {last}",
    "cause_none": "Geen kenmerk van de bestanden veranderde duidelijk op de grenzen.",
    "uneven": "De maanden van deze bron verschillen {times} keer zo veel als toeval alleen geeft;"
    " daarmee is gerekend.",
    "certain": "Toeval alleen laat zo'n stuk {odds} geschiedenissen zien waarin niets verandert.",
    "certain_none": "Deze bron was nooit in orde, dus er is niets om mee te vergelijken, en geen"
    " kans te geven.",
    "certain_all": "Van alle periodes die minstens zo duidelijk zijn, alle bronnen samen, is het"
    " aandeel dat toeval zou zijn {share} (q-waarde).",
    "next_plan": "Kijk nu wat er te corrigeren is: {command}. Er wordt niets geschreven voordat"
    " mensen het hebben goedgekeurd.",
    "next_unreadable": "Deze bestanden konden niet worden gelezen, dus er valt niets voor te"
    " plannen: zoek een andere kopie. Voor de rest: {command}",
    # lists on the command line
    "l_start": "Begin",
    "l_end": "Einde",
    "l_levels": "Dekking",
    "l_mostly": "Meestal",
    "list_legend": "Dekking in % ervoor > erin > erna. ± dagen die een grens ernaast kan liggen"
    " (95 %); ~ langzaam, niet in één keer; het einde is de eerste dag erna.",
    "list_by_file": "Naar de dag waarop bestanden zijn geschreven, niet de dag van de studie:"
    " {ids}.",
    "list_more": "Alles over een van deze: {command}",
    "list_events": "Gebeurtenissen uit het jobbestand:",
    "list_no_events": "Het jobbestand noemt geen gebeurtenissen.",
    # events
    "h_events": "Wat gebeurtenissen deden",
    "events_lead": "Dekking in het halfjaar voor, tijdens, en in het halfjaar na elke gebeurtenis"
    " uit het jobbestand, per bron. Dat een gebeurtenis niets deed, is ook een antwoord.",
    "events_none": "Het jobbestand noemt geen gebeurtenissen.",
    "events_caption": "Dekking rond de gebeurtenissen",
    "multiplicity": "Alle bronnen zijn tegen elkaar afgewogen: van de periodes die worden genoemd,"
    " en van de veranderingen rond gebeurtenissen, is naar verwachting telkens hoogstens {share}"
    " toeval (false discovery rate). Niet zo afgewogen: bronnen die nooit goed waren, en wat alleen"
    " tijdens een gebeurtenis speelde.",
    "effect": "{verdict} ({before} ervoor, {during} tijdens, {after} erna; verandering {change})",
    "effect_around": "{verdict} ({before} ervoor, {after} erna; verandering {change})",
    "effect_in": "{source}: {effect}",
    "effect_short": "{source}: {verdict}, {before} naar {after}",
    "effect_count": "{count}: {verdict}",
    "event_days": "{event}, {days}",
    "key_edge": "grens ligt hierin (95 %)",
    "c_change": "Verandering in punten (95%-interval)",
    "c_change_low": "Verandering, ondergrens",
    "c_change_high": "Verandering, bovengrens",
    "c_change_only": "Verandering",
    "c_during": "Dekking tijdens",
    "c_studies_before": "Studies ervoor",
    "c_studies_during": "Studies tijdens",
    "c_studies_after": "Studies erna",
    "c_linked": "Periodes",
    "s_events": "Gebeurtenissen",
    # more columns of the workbook
    "c_axis": "Dagen van",
    "c_start_kind": "Soort begin",
    "c_start_low": "Begin, vroegst",
    "c_start_high": "Begin, laatst",
    "c_end_kind": "Soort einde",
    "c_end_low": "Einde, vroegst",
    "c_end_high": "Einde, laatst",
    "c_steps": "Stappen",
    "c_written_start": "Geschreven vanaf",
    "c_written_end": "Geschreven tot (exclusief)",
    "c_written_share": "Aandeel in bestanden van die dagen",
    "c_chance": "p-waarde",
    "c_false": "q-waarde",
    "c_probability": "P(BSN als het slaagt)",
    # mixed studies
    "mixed_of": "De {studies} die gemengd zijn, bevatten {files}: {statuses}.",
    "s_mixed": "Gemengd",
    "c_instances": "Instances",
    # places
    "loud": "{source}, {place}: de uitgever zegt BSN, maar slechts {passing} van {values} ({share})"
    " slagen voor de elfproef. Dit zijn geen BSN's; de uitgever wordt niet geloofd.",
    "loud_title": "BSN genoemd, maar geen BSN: {count}",
    "p_issuer": "uitgever",
    "p_months": "maanden",
    "p_values": "waarden",
    "p_formed": "gevormd",
    "p_passing": "slaagt",
    "p_rate": "aandeel",
    "p_interval": "95 %",
    "p_sure": "P",
    "p_verdict": "oordeel",
    "p_legend": "gevormd: 8 of 9 cijfers; slaagt: daarvan, voor de elfproef; P: de kans dat een"
    " nummer dat slaagt een BSN is.",
    "p_means": "{verdict}: {meaning}",
    "p_none": "Zo'n plaats is er niet.",
    # plots
    "plot_all": "Dekking per maand, periodes en gebeurtenissen",
    "plot_by_file": "naar de maand waarin bestanden zijn geschreven",
    "plot_period": "{number}  {period}: {when}, {share} van {studies}",
}

VERDICTS = {
    "bsn": "BSN-veld",
    "mixture": "BSN's en andere nummers",
    "not-bsn": "geen BSN-veld",
    "unproven": "niet bewezen",
}

MEANINGS = {
    "bsn": "er slagen er zo veel, dat een nummer dat slaagt een BSN is",
    "mixture": "BSN's en andere nummers door elkaar: een nummer dat slaagt kan allebei zijn",
    "not-bsn": "slaagt even vaak als een willekeurig nummer: lokale nummers, datums,"
    " accessionnummers",
    "unproven": "te weinig waarden voor een oordeel",
}

EFFECTS = {
    "worse": "de dekking daalde",
    "better": "de dekking steeg",
    "passing": "de dekking zakte tijdens en kwam terug",
    "no-effect": "geen effect",
    "unclear": "niet duidelijk, met zo weinig studies of zulke ongelijke maanden",
    "no-studies": "geen studies ernaast om mee te vergelijken",
}

AGES = {
    "month": "binnen een maand na de studie",
    "year": "binnen een jaar na de studie",
    "later": "meer dan een jaar na de studie",
    "earlier": "voor de dag van de studie",
}

CAUSES = {
    "place": (
        "staat het BSN in {now} in plaats van in {was}",
        "staat er geen BSN, in plaats van in {was}",
        "staat er een BSN in {now}, in plaats van nergens",
    ),
    "bsn_issuer": (
        "is de uitgever bij het BSN {now} in plaats van {was}",
        "ontbreekt de uitgever bij het BSN, in plaats van {was}",
        "is de uitgever bij het BSN {now} in plaats van geen",
    ),
    "IssuerOfPatientID": (
        "is de uitgever van PatientID {now} in plaats van {was}",
        "ontbreekt de uitgever van PatientID, in plaats van {was}",
        "is de uitgever van PatientID {now} in plaats van leeg",
    ),
    "patient_id_shape": (
        "heeft PatientID de vorm {now} in plaats van {was}",
        "is PatientID leeg, in plaats van {was}",
        "heeft PatientID de vorm {now} in plaats van leeg",
    ),
    "ImplementationVersionName": (
        "worden bestanden geschreven door {now} in plaats van {was}",
        "worden bestanden geschreven door software die zich niet noemt, in plaats van {was}",
        "worden bestanden geschreven door {now} in plaats van software zonder naam",
    ),
    "InstitutionName": (
        "komen de studies van instelling {now} in plaats van {was}",
        "ontbreekt de naam van de instelling, in plaats van {was}",
        "komen de studies van instelling {now} in plaats van een zonder naam",
    ),
    "Manufacturer": (
        "is de apparatuur gemaakt door {now} in plaats van {was}",
        "ontbreekt de fabrikant van de apparatuur, in plaats van {was}",
        "is de apparatuur gemaakt door {now} in plaats van een fabrikant zonder naam",
    ),
    "StationName": (
        "komen de studies van station {now} in plaats van {was}",
        "ontbreekt de naam van het station, in plaats van {was}",
        "komen de studies van station {now} in plaats van een zonder naam",
    ),
    "SourceApplicationEntityTitle": (
        "worden bestanden gestuurd door AE {now} in plaats van {was}",
        "ontbreekt de verzendende AE, in plaats van {was}",
        "worden bestanden gestuurd door AE {now} in plaats van een zonder naam",
    ),
    "TransferSyntaxUID": (
        "is de transfer syntax {now} in plaats van {was}",
        "ontbreekt de transfer syntax, in plaats van {was}",
        "is de transfer syntax {now}, in plaats van geen",
    ),
    "file_age": (
        "worden bestanden geschreven {now} in plaats van {was}",
        "is niet bekend wanneer bestanden worden geschreven, in plaats van {was}",
        "worden bestanden geschreven {now}, waar dat niet bekend was",
    ),
}
