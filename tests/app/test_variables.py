"""Every option can be set in the environment, by the name that is typed."""

import pytest

from remediation.app.cli import cli


@pytest.mark.parametrize(
    ("command", "option", "variable"),
    [
        ("crawl", "--from", "REMEDIATION_CRAWL_FROM"),
        ("crawl", "--json", "REMEDIATION_CRAWL_JSON"),
        ("apply", "--dry-run", "REMEDIATION_APPLY_DRY_RUN"),
        ("plan", "--detailed-exitcode", "REMEDIATION_PLAN_DETAILED_EXITCODE"),
    ],
)
def test_the_variable_has_the_options_own_name(command, option, variable):
    [found] = [one for one in cli.commands[command].params if option in one.opts]
    assert found.envvar == variable
