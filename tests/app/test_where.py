"""Where a run works: what the command line and the job say, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dask
import distributed  # noqa: F401 - its defaults first: what is set before them goes with them
import pytest
import yaml
from app.dask_cluster import certificates
from app.hospital_line import call
from job_texts import FULL, changed
from small_hospital import lay_down

from remediation.app.config import load_job
from remediation.app.config_sections import Run
from remediation.app.fleet import fleet
from remediation.app.where import Where, address_in, chosen
from remediation.errors import UsageError

HEAD = "tls://head-node:8786"
JOBS = Path(__file__).parents[2] / "jobs"


def scheduler_file(folder: Path, address: object) -> Path:
    path = folder / "scheduler.json"
    path.write_text(json.dumps({"type": "Scheduler", "address": address}))
    return path


def test_the_job_says_where_and_the_command_line_says_otherwise(tmp_path):
    path = scheduler_file(tmp_path, "tls://10.0.0.7:8786")
    local, far = Run(workers=4, nice=3), Run(scheduler=HEAD, wait_for_workers=600)
    assert chosen(local) == Where(workers=4, nice=3)
    assert chosen(local, workers=1) == Where(workers=1, nice=3)
    assert chosen(far, workers=6).scheduler == "", "processes of this machine after all"
    assert (chosen(far).scheduler, chosen(far).patience) == (HEAD, 600)
    assert chosen(far, scheduler="tls://other:1").scheduler == "tls://other:1"
    assert chosen(far, scheduler_file=path).scheduler == "tls://10.0.0.7:8786"
    with pytest.raises(UsageError, match="more than one place"):
        chosen(local, workers=2, scheduler=HEAD)


def test_the_job_may_name_a_scheduler_file_and_certificates(load, tmp_path):
    path = scheduler_file(tmp_path, HEAD)
    tls = 'tls_ca = "tls/ca.pem"\ntls_cert = "tls/crawl.pem"\ntls_key = "tls/crawl.key"'
    text = changed('scheduler = "tls://head-node:8786"', f'scheduler_file = "{path.name}"\n{tls}')
    where = chosen(load(text).run)
    assert where.scheduler == HEAD
    assert where.tls_key == tmp_path / "tls/crawl.key"


@pytest.mark.parametrize(
    ("new", "message"),
    [
        ('scheduler = "tcp://head-node:8786"', "'scheduler' in [run] must be tls://host:port"),
        ('scheduler = "tls://head-node"', "'scheduler' in [run] must be tls://host:port"),
        (
            'scheduler = "tls://head-node:8786"\nscheduler_file = "one.json"',
            "[run] takes 'scheduler' or 'scheduler_file', not both",
        ),
        ("nice = 20", "'nice' in [run] must be at most 19"),
        ("nice = true", "'nice' in [run] must be a whole number"),
        ("wait_for_workers = 0", "'wait_for_workers' in [run] must be at least 1"),
        ("tls_key = 7", "'tls_key' in [run] must be a path, as text"),
    ],
)
def test_what_the_job_may_not_say(refused, new, message):
    assert message in refused(changed('scheduler = "tls://head-node:8786"', new, FULL))


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.7:8786", "10.0.0.7:8786", "tls://10.0.0.7", "ws://127.0.0.1:1", "", 7]
)
def test_a_scheduler_file_may_not_lead_out_of_the_machine_in_plain(tmp_path, address):
    with pytest.raises(UsageError) as caught:
        address_in(scheduler_file(tmp_path, address))
    assert caught.value.where == str(tmp_path / "scheduler.json")


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", "null", "\x00", "[" * 100_000])
def test_what_is_not_a_scheduler_file_is_told(tmp_path, text):
    path = tmp_path / "scheduler.json"
    path.write_text(text)
    with pytest.raises(UsageError, match="not a scheduler file"):
        address_in(path)


def test_a_scheduler_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="no such scheduler file"):
        address_in(tmp_path / "scheduler.json")


def test_tls_needs_certificates_that_can_be_used(tmp_path):
    tls = certificates(tmp_path / "tls")
    with pytest.raises(UsageError, match="needs certificates"), fleet(Where(scheduler=HEAD)):
        pytest.fail("nothing is sent in plain")
    half = Where(scheduler=HEAD, tls_cert=tls.cert, tls_key=tls.key)
    with pytest.raises(UsageError, match="needs certificates"), fleet(half):
        pytest.fail("nobody vouches for the other side")
    for ca, key in ((tls.key, tls.key), (tmp_path / "none", tls.key), (tls.ca, tls.ca)):
        where = Where(scheduler=HEAD, tls_ca=ca, tls_cert=tls.cert, tls_key=key)
        with pytest.raises(UsageError, match="certificates cannot be used"), fleet(where):
            pytest.fail("these are no certificates")


def test_certificates_of_dasks_own_configuration_count(tmp_path):
    named = {
        "distributed.comm.tls.ca-file": str(tmp_path / "none"),
        "distributed.comm.tls.client.cert": str(tmp_path / "none"),
    }
    with (
        dask.config.set(named),
        pytest.raises(UsageError, match="certificates cannot be used"),
        fleet(Where(scheduler=HEAD)),
    ):
        pytest.fail("they are not there")


def test_the_command_line_says_so_in_one_line(tmp_path, capsys, monkeypatch):
    hospital = lay_down(tmp_path / "klein")

    def line(*options):
        said = call(capsys, "crawl", hospital.job, *options)
        assert (said.code, said.out) == (2, "")
        assert not (hospital.output / "inventory").exists()
        return said.line

    plain = scheduler_file(tmp_path, "tcp://10.0.0.7:8786")
    assert "--scheduler): start `dask scheduler` with" in line("--scheduler", "tcp://head:8786")
    assert "must be tls://host:port" in line("--scheduler-file", plain)
    assert "needs certificates" in line("--scheduler", HEAD)
    assert "name one" in line("--scheduler", HEAD, "--workers", 2)
    monkeypatch.setenv("REMEDIATION_CRAWL_SCHEDULER", "tcp://head:8786")
    assert "must be tls://host:port" in line()


def test_the_job_for_a_cluster_loads_and_its_recipe_keeps_to_the_rules(tmp_path):
    run = load_job(JOBS / "cluster.toml").run
    assert chosen(run).scheduler == "tls://head-node:8786"
    assert all((run.tls_ca, run.tls_cert, run.tls_key))
    recipe = (JOBS / "slurm.md").read_text(encoding="utf-8")
    text, code = re.findall(r"```(?:yaml|console)\n(.*?)```", recipe, re.DOTALL)
    settings = yaml.safe_load(text)
    slurm, tls = settings["jobqueue"]["slurm"], settings["distributed"]["comm"]["tls"]
    assert slurm["scheduler-options"]["dashboard_address"] == "127.0.0.1:0"
    assert slurm["worker-extra-args"][-2:] == ["--dashboard-address", "127.0.0.1:0"]
    for name in ("SPILL", "TARGET"):
        line = f"export DASK_DISTRIBUTED__WORKER__MEMORY__{name}=False"
        assert line in slurm["job-script-prologue"]
        assert f"#   {line}\n" in (JOBS / "cluster.toml").read_text(encoding="utf-8")
    assert set(tls) == {"ca-file", "client", "scheduler", "worker"}
    compile(code.split("<<'END'\n")[1].split("\nEND\n")[0], "slurm.md", "exec")
