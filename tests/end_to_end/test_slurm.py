"""The array of runners on a real Slurm of one machine, this one."""

import contextlib
import os
import re
import secrets
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.commands import ROOT, Command
from support.documentation import CLUSTER
from support.suites import jobs_of, pictures_in

from benchmarks.store.store import UNFINISHED, Store

Write = Callable[..., Path]
DAEMONS = ("munged", "slurmctld", "slurmd")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, DAEMONS)) or os.geteuid() != 0,
        reason="there is no Slurm (Debian's slurmctld, slurmd, munge), or nobody who may start it",
    ),
]

CONFIGURATION = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CryptoType=crypto/munge
SlurmUser=root
StateSaveLocation={folder}
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2
PartitionName=all Nodes={host} Default=YES State=UP
"""


@dataclass(frozen=True)
class Slurm:
    folder: Path

    def __call__(self, *words: str) -> str:
        """Run a command of Slurm's, where runners are started with this Python."""
        env = {
            **os.environ,
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        done = subprocess.run(
            words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=30, check=True
        )
        return done.stdout


@pytest.fixture
def slurm() -> Iterator[Slurm]:
    with contextlib.ExitStack() as stack:
        # Names of sockets are short, and pytest's folders are not.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        ports = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        host = socket.gethostname().partition(".")[0]
        said = CONFIGURATION.format(host=host, ports=ports, folder=folder)
        (folder / "slurm.conf").write_text(said)
        key = folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        munge = [f"--{name}={folder}/munge.{name}" for name in ("socket", "key-file", "pid-file")]
        munge[1] = f"--key-file={key}"
        munge += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
        daemons = [
            ["munged", "--force", "--foreground", *munge],
            ["slurmctld", "-D", "-f", f"{folder}/slurm.conf"],
            ["slurmd", "-D", "-f", f"{folder}/slurm.conf"],
        ]
        for words in daemons:
            with (folder / f"{words[0]}.out").open("w") as output:
                daemon = subprocess.Popen(words, stdout=output, stderr=output)
            stack.callback(daemon.wait)
            stack.callback(daemon.kill)
            time.sleep(1)
        started = Slurm(folder)
        _wait_for(lambda: "idle" in _said(started, "sinfo", "--noheader"))
        yield started
        with contextlib.suppress(subprocess.CalledProcessError):
            started("scancel", "--user=root", "--signal=KILL")


def _said(slurm: Slurm, *words: str) -> str:
    try:
        return slurm(*words)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return ""


def _wait_for(what: Callable[[], object], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.2)


def _submit(slurm: Slurm, suite: Path, out: Path) -> str:
    """The line of docs/running.md for two runners of another suite; the array's number."""
    (line,) = (line for line in CLUSTER if line.startswith("sbatch"))
    words = shlex.split(line.replace("--array=1-16", "--array=1-2"))
    assert words[1] == "--array=1-2"
    words[-1] = words[-1].replace(" quick ", f" {suite} --out {out} ")
    said = slurm(*words, f"--output={slurm.folder}/%A-%a.out")
    return re.findall(r"Submitted batch job (\d+)", said)[0]


def test_an_array_of_runners_shares_the_jobs_and_can_be_cancelled_and_given_again(
    slurm: Slurm, suite_file: Write, command: Command, tmp_path: Path
) -> None:
    suite = suite_file(methods=[{"preset": "quick"}], iterations=[10, 500], seeds=[0, 1, 2])
    out, local = tmp_path / "results", tmp_path / "local"
    store, keys = Store(out / "runs"), {job.key for job in jobs_of(suite)}
    array = _submit(slurm, suite, out)
    _wait_for(lambda: sum(store.read(UNFINISHED + key) is not None for key in keys) == 2)
    slurm("scancel", array)
    _wait_for(lambda: not slurm("squeue", "--noheader"))
    logs = [(slurm.folder / f"{array}-{index}.out").read_text() for index in (1, 2)]
    for log in logs:
        assert re.search(r"halted .*: its state is saved at iteration \d+", log), log

    array = _submit(slurm, suite, out)
    _wait_for(lambda: not slurm("squeue", "--noheader"))
    logs = [(slurm.folder / f"{array}-{index}.out").read_text() for index in (1, 2)]
    assert sum(log.count("goes on   ") for log in logs) == 2, logs
    assert sum(log.count("] done ") for log in logs) == 3, logs  # each by one of them
    assert command("benchmarks", "run", suite, "--out", local).returncode == 0
    assert pictures_in(out) == pictures_in(local)
    words = ("benchmarks", "status", suite, "--out", out)
    assert command(*words).stdout.splitlines()[-1] == "3 done"
