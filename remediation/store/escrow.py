"""Escrow: the undo data of a run can be opened with somebody's age key when the key file is lost.

All of a run's journal (paths, studies, undo bytes) is sealed with keys that are derived for this
run. Their secret, 32 bytes, stands in the BEGIN record, encrypted to the recipient; never plain on
a disk. Whoever opens it can take that run back, and cannot make a token or open another run.
Source: age-encryption.org/v1.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyrage

from remediation.errors import KeyFileError, UsageError
from remediation.model.secrets import Keys
from remediation.store.keys import read_secret

SETTING = "[privacy] escrow_recipient"
_SECRET_BYTES = 32


def check(recipient: str) -> None:
    """Raise unless this is an age recipient, or none.

    Raises:
        UsageError: it is neither; the message does not repeat it.
    """
    if recipient:
        _recipient(recipient)


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise UsageError(
            "not a recipient of age", SETTING, "give the line that age-keygen told: age1..."
        ) from None


def run_key(keys: Keys, run: str, recipient: str = "") -> dict[str, Any]:
    """Return what a BEGIN record says of the run's own keys.

    Args:
        keys: the job's.
        run: the run's id.
        recipient: who can open them as well; empty: nobody.

    Raises:
        UsageError: no recipient of age.
    """
    if not recipient:
        return {"run_key": run}
    sealed = pyrage.encrypt(keys.run_secret(run), [_recipient(recipient)])
    text = base64.b64encode(sealed).decode("ascii")
    return {"run_key": run, "escrow": {"recipient": recipient, "secret": text}}


def escrow_keys(path: Path) -> tuple[Keys, str]:
    """Return keys that open what was left with the owner of an age key file, and their recipient.

    Raises:
        KeyFileError: no age key, or a file that others can read.
    """
    identity = _identity(path)

    def opener(begin: Mapping[str, Any]) -> bytes:
        try:
            sealed = base64.b64decode(begin["escrow"]["secret"], validate=True)
            secret: bytes = pyrage.decrypt(sealed, [identity])
        except (KeyError, TypeError, ValueError):
            raise KeyFileError(
                "a run of this manifest has no escrow", "its journal", "use the key file"
            ) from None
        except pyrage.DecryptError:
            raise KeyFileError(
                "the escrow is for another recipient, or damaged",
                str(path),
                "use the key of the recipient that the job named then",
            ) from None
        if len(secret) != _SECRET_BYTES:
            raise KeyFileError("the escrow is damaged", str(path), "use the key file")
        return secret

    # A key of nobody's: nothing that is to last is made with it.
    nobody = Keys.from_hex(secrets.token_hex(_SECRET_BYTES))
    return nobody.opened_by(opener), str(identity.to_public())


def _identity(path: Path) -> Any:
    words = read_secret(path).decode("ascii", "replace").split()
    for word in words:
        if word.startswith("AGE-SECRET-KEY-1"):
            try:
                return pyrage.x25519.Identity.from_str(word)
            except pyrage.IdentityError:
                break
    raise KeyFileError("not an age key", str(path), "give the file that age-keygen wrote")
