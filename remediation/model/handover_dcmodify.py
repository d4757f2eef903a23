"""Handing over as a shell script for DCMTK's dcmodify: the same correction, made on a copy.

POSIX sh, one command for each file, everything quoted. A file is only touched if it has the size
that it had at plan, so a second run finds nothing to do; the corrected bytes come into its place
in one step, as the writer of dcmodify itself does not do that.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from remediation.model.handover import About, HandedStudy
from remediation.model.handover_edits import edits

_HEAD = """\
#!/bin/sh
# Corrections of manifest {manifest} for DCMTK's dcmodify, made {at} (UTC).
# Digest of the manifest: {digest}
#
# Run it on a COPY of the archive:  sh this-script {usage}
# It holds plain BSNs: keep it encrypted, and erase it after use. While it runs, other users of
# this machine can see the numbers in the list of processes.
#
# What the identity elements hold afterwards is what `remediation apply` writes. Elsewhere dcmodify
# differs from it, which leaves every other byte of a file alone. dcmodify writes the whole file
# anew: a file without a preamble and meta header gets them; the meta header names DCMTK as the
# software that wrote the file; sequences and items get explicit lengths; group lengths are counted
# again; odd lengths are made even; padding behind the data set goes; and the file gets a new time.
# So the digests of the manifest do not hold for these files.
#
# -nb: no backup. dcmodify would leave FILE.bak with the old identity beside every file; this is a
# copy, and the archive is the backup. -dc: values that nobody asked to change are not "corrected".
# A file is left alone, and counted, if it is missing, a link, not of the size it had at plan
# (corrected already, or changed since), or if dcmodify fails. Exit code 3 if any was.
set -u
umask 077
if [ "$#" -ne {count} ]; then
  echo 'usage: sh this-script {usage}' >&2
  exit 2
fi
if ! command -v dcmodify >/dev/null; then
  echo 'dcmodify (DCMTK) is not installed' >&2
  exit 1
fi
made=0
left=0
correct() { # file, its size at plan in bytes, arguments of dcmodify
  file=$1
  size=$2
  shift 2
  if [ -L "$file" ] || [ ! -f "$file" ] || [ "$(wc -c <"$file")" -ne "$size" ]; then
    left=$((left + 1))
  elif cp -p -- "$file" "$file.new" && dcmodify -nb -dc "$@" "$file.new" &&
    mv -f -- "$file.new" "$file"; then
    made=$((made + 1))
  else
    rm -f -- "$file.new"
    left=$((left + 1))
  fi
}
"""
_ROOT = 'root{n}=$(cd -- "${n}" && pwd) || exit 2\n'
_END = """
echo "$made files corrected, $left left alone"
[ "$left" -eq 0 ] || exit 3
"""


class DcmodifyScript:
    """The script. Text with surrogate escapes: a path may be any bytes."""

    by_patient = False

    def __init__(self, about: About) -> None:
        self.about = about

    def begin(self) -> str:
        """Return what comes before the commands."""
        about = self.about
        fields = {
            "manifest": about.manifest_id,
            "digest": about.digest,
            "at": f"{about.at:%Y-%m-%d %H:%M}",
            "usage": " ".join(f"COPY_OF_{_word(name)}" for name in about.archives),
            "count": str(len(about.archives)),
        }
        head = _HEAD
        for name, value in fields.items():  # not `format`: the script has braces of its own
            head = head.replace("{" + name + "}", value)
        return head + "".join(_ROOT.replace("{n}", str(n)) for n, _ in enumerate(about.archives, 1))

    def some(self, studies: Sequence[HandedStudy]) -> str:
        """Return the commands of these studies; none for files that are corrected already.

        Raises:
            CannotSayError: a value cannot be given to dcmodify as text.
        """
        commands = []
        for study in studies:
            root = f'"$root{self.about.archives.index(study.archive) + 1}"'
            for one in study.files:
                told = [shlex.quote(word) for word in edits(one.before, one.after)]
                if told:
                    path = f"{root}/{shlex.quote(one.path)}"
                    commands.append(" ".join(["correct", path, str(one.size), *told]))
        return "".join(f"{command}\n" for command in commands)

    def end(self) -> str:
        """Return the count."""
        return _END


def _word(name: str) -> str:
    """Return an archive's name as a word of the usage line.

    >>> _word("oost"), _word("it's $(x)")
    ('OOST', 'IT_S___X_')
    """
    return "".join(one if one.isascii() and one.isalnum() else "_" for one in name).upper()
