"""The English sentences of the page for the person who signs a manifest, by key."""

from __future__ import annotations

SENTENCES = {
    "s_title": "Corrections to be approved",
    "s_manifest": "Manifest of job {job}",
    "s_lead": "If you approve this, {files} of {studies} may be rewritten, in archive {archives}.",
    "s_lead_plan": "Made by {author} on {created}. Valid until {expires}.",
    "s_at-rest": "Each of those files will then have the BSN in the agreed place: in an item of"
    " OtherPatientIDsSequence, with the BSN as its issuer. PatientID is the local patient number,"
    " and stays it.",
    "s_exchange": "The BSN will then be the PatientID of each of those files, with the BSN as its"
    " issuer; the local number stands beside it. This is never written in the archive itself, only"
    " to another folder.",
    "s_own": "Each of those files will then have the BSN where the hospital's own placement"
    " “{target}” says.",
    "s_files": "files are rewritten",
    "s_studies": "studies",
    "s_refused": "studies refused: they stay as they are",
    "s_approved": "approvals",
    "s_of": "{good} of {required}",
    "s_source": "Every number comes from the hospital's EPD export. Just before writing, the"
    " patient of each file is checked once more; if anything disagrees, the whole study stays as it"
    " is. All else in the file, the image included, stays the same, and the old bytes can"
    " come back.",
    # what stands in the way
    "s_no_more": "This manifest can no longer be approved or applied.",
    "s_expired": "It expired on {expires}. Plan again.",
    "s_superseded": "After a review another one took its place: {successor}.",
    "s_spent": "It was applied in the archive already.",
    "s_stale": "{count} changed since the plan: these will be skipped. A new plan is better.",
    "s_fresh": "All files are still as they were at the plan: just looked at.",
    # what changes
    "h_s_changes": "What changes in the files",
    "s_changes_lead": "This is all that happens, from the most frequent change to the rarest."
    " Numbers are not shown: the same signs behind # are the same number.",
    "s_kind": "{files} of {studies}",
    "s_status": "Now: {meaning}",
    "s_attribute": "Element",
    "s_before": "Now",
    "s_after": "Then",
    "s_from": "Comes from",
    "s_example": "An example to look up in the PACS, in {archive}: study",
    "s_former_all": "Each file also gets an item more in OriginalAttributesSequence, with the old"
    " values, the time and the reason.",
    "s_former_some": "Most files also get an item more in OriginalAttributesSequence, with the old"
    " values, the time and the reason.",
    "s_former_none": "The old values are not kept in the file; they can be put back all the same.",
    "s_kinds_more": "{count} rarer kinds more: remediation show lists them all.",
    "s_b_absent": "is not there",
    "s_b_other": "something that is not right",
    "s_a_bsn": "the BSN, with its issuer",
    "s_a_local": "the local number",
    "s_a_value": "the right value",
    "s_a_absent": "gone",
    "s_f_crosswalk": "EPD export",
    "s_f_header": "this file",
    "s_f_job": "a setting of the job",
    "s_f_constant": "a fixed value",
    # where and when
    "h_s_where": "Which studies these are",
    "s_where_lead": "Selected by: {selection}.",
    "s_where_all": "Nothing was selected: everything that can be corrected.",
    "s_chosen_period": "period {period} ({when})",
    "s_periods": "Broken periods",
    "s_period_files": "{files} in this period",
    "s_outside": "{files} lie outside a broken period.",
    "s_by_source": "Files by source",
    "s_by_month": "Files by month of the study",
    "s_by_year": "Files by year of the study",
    "s_c_source": "Source",
    "s_c_month": "Month",
    "s_c_year": "Year",
    "s_left_out": "Cannot be told: {what}.",
    # refused
    "h_s_refused": "What was refused, and why",
    "s_refused_lead": "{studies} are left out. Nothing changes in them.",
    "s_refused_none": "Nothing was refused.",
    # decisions
    "h_s_reviews": "What was left out at the review",
    "s_review": "{by} left out {studies} on {at} ({files}).",
    "s_why": "Reason: {why}",
    "s_parent": "This manifest took the place of",
    # not done
    "h_s_not_done": "What this does not do",
    "s_nd_pacs": "The PACS database is not told: ask the vendor to synchronise or re-index these"
    " studies.",
    "s_nd_dicomdir": "DICOMDIR files beside corrected files are not rebuilt.",
    "s_nd_sent": "Studies that were sent to others before are not recalled.",
    "s_nd_pixels": "Pixel data is not read: burned-in text stays.",
    "s_statement": "Agreed with the PACS vendor: {statement}",
    "s_no_statement": "Nothing was agreed with the PACS vendor: this manifest cannot be written in"
    " the archive itself, only to another folder.",
    # who
    "h_s_who": "Who, and until when",
    "s_author": "Made by",
    "s_author_note": "{author} cannot approve it",
    "s_responsible": "On the responsibility of",
    "s_created": "Made on",
    "s_expires": "Valid until",
    "s_archives": "Archive and its id",
    "s_target": "Target placement",
    "s_digest": "Digest: this is what you sign",
    "s_approvals": "Approvals so far",
    "s_approvals_none": "Nobody has approved this yet.",
    "s_c_who": "Who",
    "s_c_state": "State",
    "s_counts": "counts",
    "s_revoked": "taken back",
    "s_not_good": "does not count",
    "s_unchecked": "not checked: the job file cannot be read here",
    # how
    "h_s_how": "How to approve",
    "s_how_lead": "Do the counts, the period and the examples match what you expect? Then approve"
    " with your own name and your own key:",
    "s_name": "Your Name",
    "s_key_file": "your.key",
    "s_how_needed": "Needed: {required}, by different people with different keys, none of them"
    " {author}.",
    "s_how_revoke": "Changed your mind? As long as it is not applied, take your approval back:",
    "s_reason": "why",
    "s_how_exclude": "Does a study not belong here? Leave it out; that makes a new manifest, to be"
    " approved anew:",
    "s_foot": "This file fetches nothing and sends nothing. It holds no BSN, name or birth date;"
    " study numbers are personal data as well: keep it confidential.",
}
