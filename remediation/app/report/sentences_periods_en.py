"""English sentences and words for periods, their edges and causes, events, and places."""

from __future__ import annotations

SENTENCES = {
    # days, changes, odds
    "between_days": "between {first} and {last}",
    "when_between": "{between} (95% certain), most likely on {day}",
    "when_sure": "on {day} (95% certain to the day)",
    "when_day": "on {day}",
    "odds_less": "less than once in {times}",
    "odds_about": "about once in {times}",
    "change_cell": "{points} ({interval})",
    "change": "{points} points, interval {interval}",
    # edges
    "begun_jump": "It began {when}: coverage fell at one moment.",
    "begun_drift": "It began {when}: coverage slid down slowly, not at one moment.",
    "begun_first": "It was so from the beginning of the data, on {day}: there is nothing before"
    " it to compare with.",
    "ended_jump": "It ended {when}: coverage rose at one moment.",
    "ended_drift": "It ended {when}: coverage rose slowly, not at one moment.",
    "ended_open": "It is still open: the data end in it, on {day}.",
    "ended_stopped": "It did not end: the studies of this source stop in it, on {day}.",
    "ended_provisional": "Whether it ended on {day} is not settled: the last months, which look"
    " better, are provisional.",
    "edge_open": "still open",
    "edge_provisional": "not settled",
    "edge_stopped": "the source stops",
    "edge_first": "the data begin",
    "edge_slow": "{margin}, slowly",
    "cell_stopped": "stopped {month}",
    "edges": "begin: {begin}; end: {end}",
    # the story
    "title_period": "Period {period}, {source}, {when}",
    "axis_file": "Its days are those on which files were written, long after their studies; they"
    " are not the days of the studies.",
    "level": "In it coverage is {inside} (95% interval {interval}; {studies}).",
    "level_fall": "Coverage went from {before} to {inside} (95% interval {interval}; {studies} in"
    " it).",
    "level_after": "After it coverage is {after}.",
    "instead": "What stands there instead is mostly {status}: {meaning}.",
    "steps": "Inside it coverage went in {count} steps: {steps}.",
    "step": "from {day} {share} ({studies})",
    "rewritten": "{share} of its broken studies lie in files written {days}, long after the"
    " studies: a rewrite lost the number, not the years themselves.",
    "near": "The nearest event of the job file: {event}.",
    "near_effect": "The verdict on that event for this source: {effect}.",
    "near_none": "No event of the job file lies within 180 days of its edges.",
    "cause_from": "From {day} {clauses}.",
    "clauses": "{first}; {last}",
    "cause_none": "No feature of the files clearly changed at its edges.",
    "uneven": "The months of this source vary {times} times as much as chance alone gives; that"
    " was taken into account.",
    "certain": "Chance alone shows such a stretch {odds} histories in which nothing changes.",
    "certain_none": "This source was never right, so there is nothing to hold it against, and no"
    " chance to give.",
    "certain_all": "Of all periods that are at least as clear, all sources together, the share"
    " that would be chance is {share} (q-value).",
    "next_plan": "Next, see what can be corrected: {command}. Nothing is written before people"
    " have approved it.",
    "next_unreadable": "These files could not be read, so nothing can be planned for them: look for"
    " another copy. For the rest: {command}",
    # lists on the command line
    "l_start": "Start",
    "l_end": "End",
    "l_levels": "Coverage",
    "l_mostly": "Mostly",
    "list_legend": "Coverage in % before > inside > after. ± days that an edge may lie off (95%);"
    " ~ slowly, not at one moment; the end is the first day after it.",
    "list_by_file": "By the day on which files were written, not the day of the study: {ids}.",
    "list_more": "Everything on one of them: {command}",
    "list_events": "Events of the job file:",
    "list_no_events": "The job file lists no events.",
    # events
    "h_events": "What events did",
    "events_lead": "Coverage in the half year before, during, and in the half year after each event"
    " of the job file, per source. That an event did nothing is an answer as well.",
    "events_none": "The job file lists no events.",
    "events_caption": "Coverage around the events",
    "multiplicity": "All sources are held against each other: of the periods that are named, and of"
    " the changes at events, at most {share} each are expected to be chance (false discovery rate)."
    " Not held so: sources that were never right, and what only passed during an event.",
    "effect": "{verdict} ({before} before it, {during} during it, {after} after it; change"
    " {change})",
    "effect_around": "{verdict} ({before} before it, {after} after it; change {change})",
    "effect_in": "{source}: {effect}",
    "effect_short": "{source}: {verdict}, {before} to {after}",
    "effect_count": "{count}: {verdict}",
    "event_days": "{event}, {days}",
    "key_edge": "edge lies in here (95%)",
    "c_change": "Change in points (95% interval)",
    "c_change_low": "Change, lower bound",
    "c_change_high": "Change, upper bound",
    "c_change_only": "Change",
    "c_during": "Coverage during",
    "c_studies_before": "Studies before",
    "c_studies_during": "Studies during",
    "c_studies_after": "Studies after",
    "c_linked": "Periods",
    "s_events": "Events",
    # more columns of the workbook
    "c_axis": "Days of",
    "c_start_kind": "Kind of start",
    "c_start_low": "Start, earliest",
    "c_start_high": "Start, latest",
    "c_end_kind": "Kind of end",
    "c_end_low": "End, earliest",
    "c_end_high": "End, latest",
    "c_steps": "Steps",
    "c_written_start": "Written from",
    "c_written_end": "Written until (exclusive)",
    "c_written_share": "Share in files of those days",
    "c_chance": "p-value",
    "c_false": "q-value",
    "c_probability": "P(BSN if it passes)",
    # mixed studies
    "mixed_of": "The {studies} that are mixed hold {files}: {statuses}.",
    "s_mixed": "Mixed",
    "c_instances": "Instances",
    # places
    "loud": "{source}, {place}: the issuer says BSN, but only {passing} of {values} ({share}) pass"
    " the elfproef. These are no BSNs; the issuer is not believed.",
    "loud_title": "Called a BSN, and none: {count}",
    "p_issuer": "issuer",
    "p_months": "months",
    "p_values": "values",
    "p_formed": "formed",
    "p_passing": "pass",
    "p_rate": "rate",
    "p_interval": "95%",
    "p_sure": "P",
    "p_verdict": "verdict",
    "p_legend": "formed: 8 or 9 digits; pass: of these, by the elfproef; P: that a number which"
    " passes is a BSN.",
    "p_means": "{verdict}: {meaning}",
    "p_none": "No place is like that.",
    # plots
    "plot_all": "Coverage per month, periods and events",
    "plot_by_file": "by the month in which files were written",
    "plot_period": "{number}  {period}: {when}, {share} of {studies}",
}

VERDICTS = {
    "bsn": "BSN field",
    "mixture": "BSNs and other numbers",
    "not-bsn": "not a BSN field",
    "unproven": "not proven",
}

MEANINGS = {
    "bsn": "so many pass that a number which passes is a BSN",
    "mixture": "BSNs and other numbers together: a number that passes may be either",
    "not-bsn": "passes as often as any random number: local numbers, dates, accession numbers",
    "unproven": "too few values to tell",
}

EFFECTS = {
    "worse": "coverage fell",
    "better": "coverage rose",
    "passing": "coverage dipped during it and came back",
    "no-effect": "no effect",
    "unclear": "not clear, with so few studies or such uneven months",
    "no-studies": "no studies beside it to compare",
}

AGES = {
    "month": "within a month of the study",
    "year": "within a year of the study",
    "later": "more than a year after the study",
    "earlier": "before the day of the study",
}

CAUSES = {
    "place": (
        "the BSN is in {now} instead of {was}",
        "there is no BSN, instead of one in {was}",
        "there is a BSN in {now}, instead of nowhere",
    ),
    "bsn_issuer": (
        "the issuer beside the BSN is {now} instead of {was}",
        "the issuer beside the BSN is missing, instead of {was}",
        "the issuer beside the BSN is {now} instead of none",
    ),
    "IssuerOfPatientID": (
        "the issuer of PatientID is {now} instead of {was}",
        "the issuer of PatientID is missing, instead of {was}",
        "the issuer of PatientID is {now} instead of empty",
    ),
    "patient_id_shape": (
        "PatientID has the shape {now} instead of {was}",
        "PatientID is empty, instead of {was}",
        "PatientID has the shape {now} instead of being empty",
    ),
    "ImplementationVersionName": (
        "files are written by {now} instead of {was}",
        "files are written by software that does not name itself, instead of {was}",
        "files are written by {now} instead of software without a name",
    ),
    "InstitutionName": (
        "the studies come from institution {now} instead of {was}",
        "the name of the institution is missing, instead of {was}",
        "the studies come from institution {now} instead of one without a name",
    ),
    "Manufacturer": (
        "the equipment is made by {now} instead of {was}",
        "the manufacturer of the equipment is missing, instead of {was}",
        "the equipment is made by {now} instead of a manufacturer without a name",
    ),
    "StationName": (
        "the studies come from station {now} instead of {was}",
        "the name of the station is missing, instead of {was}",
        "the studies come from station {now} instead of one without a name",
    ),
    "SourceApplicationEntityTitle": (
        "files are sent by AE {now} instead of {was}",
        "the sending AE is missing, instead of {was}",
        "files are sent by AE {now} instead of one without a name",
    ),
    "TransferSyntaxUID": (
        "the transfer syntax is {now} instead of {was}",
        "the transfer syntax is missing, instead of {was}",
        "the transfer syntax is {now}, instead of none",
    ),
    "file_age": (
        "files are written {now} instead of {was}",
        "it is unknown when files are written, instead of {was}",
        "files are written {now}, where that was unknown",
    ),
}
