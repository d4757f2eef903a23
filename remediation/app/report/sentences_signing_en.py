"""The English sentences of the page for the person who signs a manifest, by key."""

from __future__ import annotations

SENTENCES = {
    "sign_title": "Corrections to be approved",
    "sign_manifest": "Manifest of job {job}",
    "sign_lead": "If you approve this, {files} of {studies} may be rewritten, in archive"
    " {archives}.",
    "sign_lead_plan": "Made by {author} on {created}. Valid until {expires}.",
    "sign_at-rest": "Each of those files will then have the BSN in the agreed place: in an item"
    " of OtherPatientIDsSequence, with the BSN as its issuer. PatientID is the local patient"
    " number, and stays it.",
    "sign_exchange": "The BSN will then be the PatientID of each of those files, with the BSN as"
    " its issuer; the local number stands beside it. This is never written in the archive itself,"
    " only to another folder.",
    "sign_own": "Each of those files will then have the BSN where the hospital's own placement"
    " “{target}” says.",
    "sign_files": "files are rewritten",
    "sign_studies": "studies",
    "sign_refused": "studies refused: they stay as they are",
    "sign_approved": "approvals",
    "sign_of": "{good} of {required}",
    "sign_source": "Every number comes from the hospital's EPD export. Just before writing, the"
    " patient of each file is checked once more; if anything disagrees, the whole study stays as"
    " it is. All else in the file, the image included, stays the same, and the old bytes can come"
    " back.",
    # what stands in the way
    "sign_no_more": "This manifest can no longer be approved or applied.",
    "sign_expired": "It expired on {expires}. Plan again.",
    "sign_superseded": "After a review another one took its place: {successor}.",
    "sign_spent": "It was applied in the archive already.",
    "sign_stale": "{count} changed since the plan: these will be skipped. A new plan is better.",
    "sign_fresh": "All files are still as they were at the plan: just looked at.",
    # what changes
    "h_sign_changes": "What changes in the files",
    "sign_changes_lead": "This is all that happens, from the most frequent change to the rarest."
    " Numbers are not shown: the same signs behind # are the same number.",
    "sign_kind": "{files} of {studies}",
    "sign_status": "Now: {meaning}",
    "sign_attribute": "Element",
    "sign_before": "Now",
    "sign_after": "Then",
    "sign_from": "Comes from",
    "sign_example": "An example to look up in the PACS, in {archive}: study",
    "sign_former_all": "Each file also gets an item more in OriginalAttributesSequence, with the"
    " old values, the time and the reason.",
    "sign_former_some": "Most files also get an item more in OriginalAttributesSequence, with the"
    " old values, the time and the reason.",
    "sign_former_none": "The old values are not kept in the file; they can be put back all the"
    " same.",
    "sign_kinds_more": "{count} rarer kinds more: remediation show lists them all.",
    "sign_b_absent": "is not there",
    "sign_b_other": "something that is not right",
    "sign_a_bsn": "the BSN, with its issuer",
    "sign_a_local": "the local number",
    "sign_a_value": "the right value",
    "sign_a_absent": "gone",
    "sign_f_crosswalk": "EPD export",
    "sign_f_header": "this file",
    "sign_f_job": "a setting of the job",
    "sign_f_constant": "a fixed value",
    # where and when
    "h_sign_where": "Which studies these are",
    "sign_where_lead": "Selected by: {selection}.",
    "sign_where_all": "Nothing was selected: everything that can be corrected.",
    "sign_chosen_period": "period {period} ({when})",
    "sign_periods": "Broken periods",
    "sign_period_files": "{files} in this period",
    "sign_outside": "{files} lie outside a broken period.",
    "sign_by_source": "Files by source",
    "sign_by_month": "Files by month of the study",
    "sign_by_year": "Files by year of the study",
    "sign_c_source": "Source",
    "sign_c_month": "Month",
    "sign_c_year": "Year",
    "sign_left_out": "Cannot be told: {what}.",
    # refused
    "h_sign_refused": "What was refused, and why",
    "sign_refused_lead": "{studies} are left out. Nothing changes in them.",
    "sign_refused_none": "Nothing was refused.",
    # decisions
    "h_sign_reviews": "What was left out at the review",
    "sign_review": "{by} left out {studies} on {at} ({files}).",
    "sign_why": "Reason: {why}",
    "sign_parent": "This manifest took the place of",
    # not done
    "h_sign_not_done": "What this does not do",
    "sign_nd_pacs": "The PACS database is not told: ask the vendor to synchronise or re-index"
    " these studies.",
    "sign_nd_dicomdir": "DICOMDIR files beside corrected files are not rebuilt.",
    "sign_nd_sent": "Studies that were sent to others before are not recalled.",
    "sign_nd_pixels": "Pixel data is not read: burned-in text stays.",
    "sign_statement": "Agreed with the PACS vendor: {statement}",
    "sign_no_statement": "Nothing was agreed with the PACS vendor: this manifest cannot be"
    " written in the archive itself, only to another folder.",
    # who
    "h_sign_who": "Who, and until when",
    "sign_author": "Made by",
    "sign_author_note": "{author} cannot approve it",
    "sign_responsible": "On the responsibility of",
    "sign_created": "Made on",
    "sign_expires": "Valid until",
    "sign_archives": "Archive and its id",
    "sign_target": "Target placement",
    "sign_digest": "Digest: this is what you sign",
    "sign_approvals": "Approvals so far",
    "sign_approvals_none": "Nobody has approved this yet.",
    "sign_c_who": "Who",
    "sign_c_state": "State",
    "sign_counts": "counts",
    "sign_revoked": "taken back",
    "sign_not_good": "does not count",
    "sign_unchecked": "not checked: the job file cannot be read here",
    # how
    "h_sign_how": "How to approve",
    "sign_how_lead": "Do the counts, the period and the examples match what you expect? Then"
    " approve with your own name and your own key:",
    "sign_name": "Your Name",
    "sign_key_file": "your.key",
    "sign_how_needed": "Needed: {required}, by different people with different keys, none of them"
    " {author}.",
    "sign_how_revoke": "Changed your mind? As long as it is not applied, take your approval back:",
    "sign_reason": "why",
    "sign_how_exclude": "Does a study not belong here? Leave it out; that makes a new manifest,"
    " to be approved anew:",
    "sign_foot": "This file fetches nothing and sends nothing. It holds no BSN, name or birth"
    " date; study numbers are personal data as well: keep it confidential.",
}
