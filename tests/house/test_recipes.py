"""Recipes in deploy/: understood by what reads them, and what they call is there."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from restore_drill.config.alerts import ALERTS
from restore_drill.config.commands import COMMANDS
from restore_drill.config.options import OFFLINE, OPTIONS, VARIABLES
from restore_drill.fleet import command as fleet
from restore_drill.fleet.matrix import matrix_of
from restore_drill.watch.entry import note
from tests.helpers.drills import ROOT
from tests.helpers.histories import PASSED
from tests.helpers.workflows import run, tool

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
OTHERS = {
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "BACKUP_FETCH",
    "GITLAB_TOKEN",
    "CI_JOB_STATUS",
    "CI_PROJECT_DIR",
    "CI_PROJECT_PATH",
    "CI_PIPELINE_SOURCE",
    "DEBIAN_FRONTEND",
    "VIRTUAL_ENV",
}


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify`, with the path of the program put to one that is there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text(encoding="utf-8")
        text = text.replace("/opt/restore-drill/.venv/bin/restore-drill", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    names = sorted(path.name for path in tmp_path.iterdir())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(f"./{name}" for name in names)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    ours = [line for line in done.stderr.splitlines() if "restore-drill" in line]
    assert done.returncode == 0 and not ours, done.stderr
    timers = {name.removesuffix(".timer") for name in names if name.endswith(".timer")}
    assert {f"{name}.service" for name in timers} <= set(names)


def test_gitlab_understands_the_job() -> None:
    """By the schema that GitLab publishes."""
    schema = ["--builtin-schema", "vendor.gitlab-ci"]
    done = run([tool("check-jsonschema"), *schema, str(DEPLOY / "gitlab-ci.yml")])

    assert done.returncode == 0, done.stdout + done.stderr


def test_cronjob_is_one_that_runs_once_and_may_little() -> None:
    """A red drill is not tried again, a drill that is ended has time to alert."""
    job: dict[str, Any] = YAML(typ="safe", pure=True).load(DEPLOY / "kubernetes-cronjob.yaml")
    spec = job["spec"]["jobTemplate"]["spec"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    mounted = {each["name"] for each in container["volumeMounts"]}
    flags = {given for given in container["args"] if given.startswith("--")}

    assert container["args"][0] == "drill" and "command" not in container
    assert flags <= {option.flag for option in OPTIONS.values()}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert len(job["spec"]["schedule"].split()) == 5
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    assert (spec["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    assert pod["terminationGracePeriodSeconds"] >= 60
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert mounted == {each["name"] for each in pod["volumes"]}
    assert not {"DRILL_NOTIFY", "DRILL_PING"} & {each["name"] for each in container["env"]}


KUBERNETES = sorted(DEPLOY.glob("kubernetes-*.yaml"))


@pytest.mark.parametrize("path", KUBERNETES, ids=lambda path: path.name)
def test_kubernetes_takes_the_manifests(path: Path) -> None:
    """Each document, strictly: a key that Kubernetes does not know would be dropped in silence."""
    found = list(YAML(typ="safe", pure=True).load_all(path))

    assert found
    for each in found:
        kubernetes_validate.validate(each, kubernetes_validate.latest_version(), strict=True)


def test_manifests_of_a_fleet_fit_together() -> None:
    """Options that there are; nobody is root; the scheduler is closed to all but the fleet."""
    path = DEPLOY / "kubernetes-fleet.yaml"
    everything = list(YAML(typ="safe", pure=True).load_all(path))
    found = {each["kind"]: each for each in everything}
    jobs = [each["spec"]["jobTemplate"]["spec"] for each in everything if each["kind"] == "CronJob"]
    pods = [found[kind]["spec"]["template"]["spec"] for kind in ("Deployment", "StatefulSet")]
    pods += [job["template"]["spec"] for job in jobs]
    parser = argparse.ArgumentParser()
    fleet.add_arguments(parser)
    calls = [pod["containers"][0]["args"] for pod in pods[2:]]
    parsed, status = (parser.parse_args(call[1:]) for call in calls)

    assert {call[0] for call in calls} == {"fleet"}
    assert (parsed.what, parsed.due, status.what, status.notify) == ("run", True, "status", True)
    assert parsed.inventory == status.inventory == "/fleet/fleet.toml"
    assert parsed.scheduler == f"tcp://{found['Service']['metadata']['name']}:8786"
    assert parsed.scheduler in pods[1]["containers"][0]["command"]
    for job, pod in zip(jobs, pods[2:], strict=True):
        assert (job["backoffLimit"], pod["restartPolicy"]) == (0, "Never")
    claimed = {each["persistentVolumeClaim"]["claimName"] for pod in pods for each in pod["volumes"]
               if "persistentVolumeClaim" in each}  # fmt: skip
    assert claimed == {found["PersistentVolumeClaim"]["metadata"]["name"]}
    for pod in pods[:2]:
        assert pod["containers"][0]["command"][:3] == ["tini", "--", "dask"]
        assert pod.get("restartPolicy", "Always") == "Always", "a worker ends with its scheduler"
    assert found["NetworkPolicy"]["spec"]["policyTypes"] == ["Ingress"]
    for pod in pods:
        (container,) = pod["containers"]
        mounted = {each["name"] for each in container["volumeMounts"]}
        volumes = {each["name"] for each in pod["volumes"]} | {"drills"}
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"] and mounted <= volumes


def blocks_of(kind: str) -> list[str]:
    """Blocks of this kind in docs/fleet.md."""
    text = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_ci_systems_take_the_jobs_of_a_fleet(tmp_path: Path) -> None:
    """Those that docs/fleet.md shows, and what `fleet matrix gitlab` prints."""
    blocks = blocks_of("yaml")
    jobs = [*blocks, matrix_of("gitlab", ["shop", "ledger"], {}), matrix_of("gitlab", [], {})]
    paths = [tmp_path / f"{number}.yml" for number in range(len(jobs))]
    for path, job in zip(paths, jobs, strict=True):
        path.write_text(job, encoding="utf-8")

    assert len(blocks) == 3
    for schema, files in (("github-workflows", paths[:1]), ("gitlab-ci", paths[1:])):
        command = [tool("check-jsonschema"), "--builtin-schema", f"vendor.{schema}"]
        done = run([*command, *map(str, files)])
        assert done.returncode == 0, done.stdout + done.stderr


def test_pipelines_of_a_fleet_end_with_its_status() -> None:
    """Whatever was due: a database that has failed keeps them red."""
    github, gitlab, _ = (YAML(typ="safe", pure=True).load(each) for each in blocks_of("yaml"))
    job, command = github["jobs"]["verdict"], "restore-drill fleet status"

    assert list(github["jobs"])[-1] == "verdict"
    assert (job["needs"], job["if"]) == (["due", "drill"], "always()")
    assert "DRILL_HISTORY" in github["env"] and job["steps"][-1] == {"run": command}
    last = gitlab["verdict"]
    assert gitlab["stages"][-1] == last["stage"] == "verdict"
    assert [each["when"] for each in last["rules"]] == ["always"] and last["script"][-1] == command


def test_cron_drills_a_fleet(tmp_path: Path) -> None:
    """By the lines of docs and recipe, with what cron sets: reports and log; one run at a time."""
    recipe = (DEPLOY / "crontab-fleet").read_text(encoding="utf-8")
    shown = next(each for each in blocks_of("text") if "0 9 * * *" in each)
    lines = re.findall(r"^(\d+ [\d*]+ \* \* \*)  root  (.*)$", recipe, re.MULTILINE)
    assert shown.splitlines() == ["  ".join(line) for line in lines]
    (tmp_path / "b" / ".drill").mkdir(parents=True)
    (backup := tmp_path / "b" / "shop.sql").write_text("-- PostgreSQL database dump\n")
    drill = replace(PASSED, series="b/shop", place=None, backup="shop.sql", size=None)
    note(tmp_path / "b" / ".drill" / "history.jsonl", drill)
    os.utime(backup, (drill.at.timestamp() - 60,) * 2)
    inventory = tmp_path / "fleet.toml"
    inventory.write_text("[databases.shop]\nbackups = 'b'\nevery = '7d'\n")
    program = tmp_path / "restore-drill"
    paths = f"PYTHONPATH={ROOT}:{ROOT / 'src'}"
    program.write_text(f'#!/bin/sh\n{paths} exec {sys.executable} -m drill "$@"\n')
    program.chmod(0o755)
    for path in ("/opt/restore-drill/.venv/bin", "/etc/restore-drill", "/var/log"):
        lines = [(when, line.replace(path, str(tmp_path))) for when, line in lines]

    def call(line: str) -> int:
        clean = ["env", "-i", f"HOME={tmp_path}", "PATH=/usr/bin:/bin"]
        return subprocess.run([*clean, "sh", "-c", line], cwd="/", check=False).returncode

    with inventory.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert call(lines[0][1]) == 1 and not (tmp_path / "drill-report").exists()
    log = tmp_path / "restore-drill.log"
    assert [call(line) for _, line in lines] == [0, 0], log.read_text()
    assert (tmp_path / "drill-report" / "fleet.json").is_file()
    assert "1 not due" in log.read_text() and "OK: 1 database" in log.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_recipes_name_what_is_there(path: Path) -> None:
    """Commands, options and variables of the drill."""
    text = path.read_text(encoding="utf-8")
    known = {*VARIABLES.values(), *ALERTS, *OTHERS, OFFLINE}
    known |= {name for option in OPTIONS.values() for name in option.variables}

    named = set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", text))
    assert {name for name in named if not name.startswith(("PIP_", "UV_"))} <= known
    for command, rest in re.findall(r"restore-drill (\w+)((?: --[\w-]+)*)", text):
        assert command in {"drill", *COMMANDS}
        if command == "drill":
            assert set(shlex.split(rest)) <= {option.flag for option in OPTIONS.values()}
