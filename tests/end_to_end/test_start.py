"""A start takes little longer than torch's own."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from support.commands import ROOT

COMMANDS = """
import sys
from benchmarks.system.processes import PRELOADED
from dip.__main__ import main as dip
from reports.commands.app import main as dip_bench

suite, out, photo, restored = sys.argv[1:]
assert dip_bench(["bench", suite, "--out", out, "--workers", "0"]) == 0
assert dip(["inpaint", photo, "--box", "4,4,9,9", "-o", restored, "--iterations", "2"]) == 0
assert "torch" in sys.modules
for name in PRELOADED:
    __import__(name)
print([name for name in ("torch._dynamo", "torch._inductor", "sympy") if name in sys.modules])
"""


def test_neither_bench_nor_inpaint_nor_workers_import_torchs_compiler(
    suite_file: Callable[..., Path], tmp_path: Path
) -> None:
    """It takes 4 to 8 seconds, and torch's classes of optimizers import it."""
    photo = tmp_path / "photo.png"
    Image.new("RGB", (32, 32), "gray").save(photo)
    arguments = (suite_file(), tmp_path / "results", photo, tmp_path / "restored.png")
    done = subprocess.run(
        [sys.executable, "-c", COMMANDS, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
