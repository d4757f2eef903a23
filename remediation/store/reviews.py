"""The signature of a review: who took studies out of a plan, over the manifest that is left.

It lies beside the reviewed manifest (`review.minisig`), and approves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from remediation.errors import ManifestError
from remediation.model import minisign
from remediation.model.approvals import Rules
from remediation.model.manifest import Review
from remediation.store import consent
from remediation.store.manifests import Stored

NAME = "review" + consent.SIGNED
_KEYS = ("reviewed", "by", "at", "key")


def sign(stored: Stored, secret_key_text: str) -> None:
    """Sign the last review of a manifest that is about to be written.

    Raises:
        ShareError: the signature cannot be written.
    """
    text = minisign.sign(secret_key_text, stored.raw, _comment(stored, stored.manifest.reviews[-1]))
    consent.write_text(stored.folder / NAME, text, "review")


def reviewed(stored: Stored, approvers: Mapping[str, str]) -> None:
    """Raise where the last review says that it was signed, and it was not.

    Raises:
        ManifestError: no signature, another's, or by a key that the job does not know.
    """
    last = next(reversed(stored.manifest.reviews), None)
    if last is None or not last.key:
        return
    path = stored.folder / NAME
    Rules("", None, approvers, 1).check(last.by, last.key, str(path))
    text = consent.read_text(path, "review's signature")
    try:
        comment = minisign.verify(last.key, stored.raw, text)
    except ManifestError:
        comment = ""
    if comment != _comment(stored, last):
        raise ManifestError("the review's signature was altered", str(path), "review again")


def _comment(stored: Stored, last: Review) -> str:
    return consent.comment_of(_KEYS, (stored.manifest.digest, last.by, last.at, last.key))
