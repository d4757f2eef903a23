"""The commented job file that `init` writes: what is required filled in, the rest with defaults.

A line that begins with `#` and no blank is a setting that is switched off; a test switches all of
them on and loads the result.
"""

from __future__ import annotations

KEY_FILE = "keys/remediation.key"  # relative to the job file, as in the template

TEMPLATE = f"""\
# Job file of `remediation`. Relative paths are relative to this file.
# A line that begins with "#" and no blank is a setting at its default, or an example: take the
# "#" away to change it. Unknown keys are refused, so a slip of the pen cannot go unnoticed.

[job]
name = "my-hospital"
# Which studies: StudyDate, both days included. Without them: all. `to` may be "yesterday".
#from = 2007-01-01
#to = "yesterday"
#timezone = "Europe/Amsterdam"   # for "yesterday" and windows; recorded times are UTC
#target_coverage = 0.95
#provisional_months = 2          # the last months are provisional: BSNs are verified afterwards
#responsible = "PACS-beheer"     # on whose responsibility the work runs; it is recorded
#allow_test_numbers = false      # true for demo data only

# One [[archive]] for each root directory; repeat the whole table for the next.
[[archive]]
name = "main"                    # letters, digits, - and _
root = "archive"
#layout = "{{yyyy}}/{{mm}}/{{dd}}"     # folders by date: prunes; without it everything is walked
#layout_date = "study"           # "study": the folders are StudyDates; "stored": never prune
#local_issuer = "MY-HOSPITAL"    # issuer of the local numbers where headers carry none

# Other number spaces in the same archive. Keys: from, to, institution, writing_software,
# number_shape; all that are given must hold.
#[[archive.local_issuer_period]]
#from = 2007-01-01
#to = 2010-12-31
#local_issuer = "OLD-HOSPITAL"

# What a spelling of the issuer in the headers means: one of ours, "foreign", or "ignore".
#[[archive.issuer_alias]]
#spelling = "HIS1"
#means = "MY-HOSPITAL"

# What tells the sources of studies apart: InstitutionName, StationName, Manufacturer,
# ImplementationVersionName, SourceApplicationEntityTitle, or several of them.
#[source]
#by = ["InstitutionName"]
#[source.rename]
#"Zkh. Oost" = "Ziekenhuis Oost"

[placement]
target = "at-rest"               # or "exchange", or the path of a placement file (.toml)
#original_attributes = true      # keep former values in OriginalAttributesSequence
#remove_retired = false          # take the BSN out of OtherPatientIDs as well

#[bsn]
#extra_issuers = []              # more spellings that mean "this is a BSN"
#placeholders = []               # more numbers that mean nothing

[privacy]
key_file = "{KEY_FILE}"
#seal_paths = true
#escrow_recipient = ""           # age1...: whose key opens undo data when the key file is lost

# What happened when; broken periods are held against it. Kinds: pacs-migration, epd-migration,
# upgrade, merger, other. Either `date`, or `from` and `to`.
#[[event]]
#name = "PACS migration"
#kind = "pacs-migration"
#date = 2011-07-01
#archive = "main"                # without it: all archives

# The EPD's export. Without this table nothing can be matched; crawl and flag work all the same.
#[crosswalk]
#files = ["epd/*.csv"]           # or .xlsx, .parquet, .hl7; several kinds together
#writable_statuses = ["geverifieerd"]   # the EPD's words that allow writing
#writable_validations = []       # where given, the validation must be one of these as well
#max_age_days = 30               # 0: no limit

# Where files are HL7 v2 ADT messages: what these cannot say. Without a status nothing of them is
# written.
#[crosswalk.hl7]
#status = "geverifieerd"         # of patients of whom PID-32 says nothing
#[crosswalk.hl7.reliability]     # words in PID-32, and the status that each stands for
#UA = "niet geverifieerd"
#[crosswalk.hl7.issuers]         # assigning authorities in PID-3, and our issuer
#HIS1 = "MY-HOSPITAL"

# Names of the export's columns. Required: local_number, bsn, status, birth_date; and issuer where
# the archives have several. A BSN is written only where birth date and a family name agree.
#[crosswalk.columns]
#local_number = "patientnr"
#issuer = "uitgever"
#bsn = "bsn"
#status = "bsn_status"
#validation = "wid_status"
#birth_date = "geboortedatum"
#sex = "geslacht"
#family_name = "achternaam"
#birth_name = "geboortenaam"
#partner_name = "partnernaam"
#initials = "voorletters"
#exemption = "uitzondering"
#replaced_by = "vervangen_door"
#valid_from = "geldig_van"
#valid_to = "geldig_tot"

# How headers write the local numbers of an issuer, where the export writes them otherwise.
#[[crosswalk.spelling]]
#issuer = "MY-HOSPITAL"
#width = 7                       # zero-padded
#prefix = ""

# Who may approve; `remediation key new PATH --approver` prints the public key.
#[[approver]]
#name = "Second Person"
#public_key = "RWQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

[apply]
#approvals = 1                   # different people and keys, none of them the author
#max_files = 10000               # in one run
#canary = 20                     # files of whole studies that go first and are verified
#pause_after_canary = false
#in_place_statement = ""         # what was agreed with the PACS vendor, by whom, when

[run]
#workers = 2                     # processes of this machine
#nice = 10                       # how far they step back for other programs, 0 to 19
#readers = 4                     # threads of a worker that read ahead where the share is slow
#reads_per_second = 500          # files, of all workers together
#window = "20:00-06:00"          # outside these hours the crawl waits
# Workers of a cluster instead: the address of a Dask scheduler, or `scheduler_file`, the file that
# it writes about itself. The certificates are of your own making; see jobs/cluster.toml.
#scheduler = "tls://head-node:8786"
#tls_ca = "tls/ca.pem"
#tls_cert = "tls/crawl.pem"
#tls_key = "tls/crawl.key"
#wait_for_workers = 30           # seconds, for a first worker to be there

# The list for the PACS vendor counts studies; with examples it names some, which is personal data.
#[worklists]
#vendor_examples = 0             # StudyInstanceUIDs in a line

[output]
dir = "out"
#language = "nl"                 # of reports: nl or en
"""
