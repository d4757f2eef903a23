"""The command line: one command per verb, one-line errors, documented exit codes."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback

import click

from remediation.app import auditing, exporting, reading, tracing, writing
from remediation.app.demo.command import demo
from remediation.errors import Interrupted, RemediationError, ShareError, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


_HELP = """Find where the BSN stands in archived DICOM headers, and correct it.

\b
The line of work:  crawl > flag > match > plan > show, approve > apply > verify
Back again:        rollback
To the vendor:     export
Who did what:      audit, trace

Nothing is written to an archive but by `apply` and `rollback`. Begin with `remediation demo`,
or with `remediation init`.
"""


class _InOrder(click.Group):
    """Lists commands in the order of the work."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(
    cls=_InOrder,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="remediation")
@click.option("--debug", is_flag=True, help="Show where an error came from (no values).")
def cli(*, debug: bool) -> None:
    """Hold the options of all commands."""
    if debug:
        click.get_current_context().obj = {"debug": True}


def _name_variables(command: click.Command, prefix: str) -> None:
    """Let every option be set as PREFIX_OPTION, by the name that the user types."""
    for parameter in command.params:
        long = [name for name in parameter.opts if name.startswith("--")]
        if long:
            parameter.envvar = f"{prefix}_{long[0][2:].replace('-', '_').upper()}"
    for name, inner in getattr(command, "commands", {}).items():
        _name_variables(inner, f"{prefix}_{name.upper()}")


for _command in (
    demo,
    *reading.COMMANDS,
    *writing.COMMANDS,
    *exporting.COMMANDS,
    *auditing.COMMANDS,
    *tracing.COMMANDS,
):
    cli.add_command(_command)
    _name_variables(_command, f"REMEDIATION_{(_command.name or '').upper()}")


def main() -> None:
    """Run the command line; exit with the code of what happened."""
    with contextlib.suppress(ImportError):  # not on Windows
        import resource

        # A core dump would hold plain numbers.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        # Not standalone, click gives back the code of `exit`, or whatever a command returns.
        code = cli.main(arguments, prog_name="remediation", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _told(_usage(error), debug)
    except SystemExit:  # whoever read our output has closed it, and click says no more
        return 1
    except BaseException as error:  # noqa: BLE001 - a text of somebody else's may hold a number
        return _told(_explained(error), debug)
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> UsageError:
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    what = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(what, where, f"see `{where or 'remediation'} --help`")


def _explained(error: BaseException) -> RemediationError:
    """Return any exception as one line of ours: what, where, and the mend; never a value."""
    if isinstance(error, RemediationError):
        return error
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return Interrupted("interrupted", "", "run the same command again to go on")
    if isinstance(error, OSError):
        what = "the disk is full" if error.errno in _FULL else os.strerror(error.errno or 0)
        return ShareError(what, "", "nothing is half done: mend it and run again")
    return RemediationError(f"unexpected {type(error).__name__}", _where(error), "please report it")


def _told(error: RemediationError, debug: bool) -> int:  # noqa: FBT001
    click.echo(f"remediation: {error}", err=True)
    if debug:
        # Frames only: the text of an exception, or a source line, could hold a value.
        for frame in traceback.extract_tb(sys.exc_info()[2]):
            click.echo(f"  {frame.filename}:{frame.lineno} in {frame.name}", err=True)
    return error.exit_code


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""  # noqa: PTH119


if __name__ == "__main__":
    main()
