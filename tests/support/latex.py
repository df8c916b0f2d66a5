"""LaTeX, where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest


def _has_latex() -> bool:
    if not (shutil.which("pdflatex") and shutil.which("kpsewhich")):
        return False
    packages = ["booktabs.sty", "siunitx.sty"]
    found = subprocess.run(["kpsewhich", *packages], capture_output=True, text=True, check=False)
    return len(found.stdout.split()) == len(packages)


needs_latex = pytest.mark.skipif(not _has_latex(), reason="no pdflatex with siunitx is here")


def run_latex(folder: Path, name: str) -> "subprocess.CompletedProcess[str]":
    """Compile a document once; it stops at the first error."""
    return subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", name],
        cwd=folder, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
