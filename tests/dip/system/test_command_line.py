"""What runs a command line: exit codes, and one line for a user's mistake."""

import subprocess
import sys
from typing import Annotated

import pytest
import typer

from dip.errors import FailedFitError, InputError
from dip.system.command_line import main, with_flags
from dip.system.signals import Interrupted

RAISED: dict[str, BaseException | int | None] = {
    "nothing": None,
    "code": 3,
    "input": InputError("`max_side` 3: too small; leave `out` and `nothing` alone"),
    "system": FileNotFoundError(2, "No such file or directory"),
    "fit": FailedFitError("the fit failed"),
    "signal": Interrupted("the same command resumes"),
    "ctrl-c": KeyboardInterrupt(),
    "bug": KeyError("a bug"),
}

app = typer.Typer()


@app.command()
def raise_or_return(
    name: str,
    max_side: int = 0,
    out: Annotated[str, typer.Option("-o", "--out")] = "",
    pattern: Annotated[str, typer.Option("-k")] = "",
) -> int | None:
    """Raise, or return, what has that name."""
    assert (max_side, out, pattern) == (0, "", "")
    outcome = RAISED[name]
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("nothing", 0, ""),
        ("code", 3, ""),
        ("input", 2, "error: --max-side 3: too small; leave --out and `nothing` alone"),
        ("system", 2, "error: [Errno 2] No such file or directory"),
        ("fit", 1, "error: the fit failed"),
        ("signal", 130, "interrupted; the same command resumes"),
    ],
)
def test_each_end_has_its_code_and_one_line(
    name: str, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(app, [name], program="try") == code
    assert capsys.readouterr().err.strip() == says


def test_ctrl_c_that_nobody_handles_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Some versions of typer end it themselves, without a word."""
    assert main(app, ["ctrl-c"], program="try") == 130
    assert capsys.readouterr().err.strip() in ("", "interrupted")


def test_wrong_options_are_a_line_and_a_bug_is_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(app, ["nothing", "--max-side", "x"], program="try") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Invalid value for '--max-side'")
    with pytest.raises(KeyError):
        main(app, ["bug"], program="try")


def test_options_become_the_flags_of_the_command_that_was_called() -> None:
    several = typer.Typer()
    several.command("photo")(lambda max_side=0: max_side)
    several.command("suite")(raise_or_return)
    message = "`pattern`: no job; use `out`, `max_side`"
    flags = "-k: no job; use --out, --max-side"
    assert with_flags(message, app, ["nothing"]) == flags
    assert with_flags(message, several, ["suite", "nothing"]) == flags
    assert with_flags(message, several, ["photo"]) == "`pattern`: no job; use `out`, --max-side"
    assert with_flags(message, several, []) == message


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    """As with `| head`; a message of Python's own at its exit would show."""
    code = (
        "import sys, typer; from dip.system.command_line import main; app = typer.Typer();"
        "app.command()(lambda: print('x' * 1000000)); sys.exit(main(app, [], program='x'))"
    )
    words = [sys.executable, "-c", code]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr is not None
    assert (process.wait(60), process.stderr.read()) == (1, b"")
