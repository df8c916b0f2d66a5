"""The folders and who imports whom: few entries at each level, floors, no circle.

`pytest -s tests/end_to_end/test_layout.py` prints what it counts. The floors themselves are
contracts of import-linter (`make check`).
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.commands import ROOT

TOPS = ("dip", "datasets", "benchmarks", "reports")
FACES = ("__init__", "__main__")
# Folders to which users add components.
GROWING = {
    *("dip/fills", "dip/networks", "benchmarks/metrics", "datasets/masks"),
    *("dip/options/networks", "dip/options/inputs", "dip/options/losses"),
    *("dip/options/optimizers", "dip/options/outputs", "dip/options/rules"),
}


def _modules() -> dict[str, Path]:
    found = {}
    for top in TOPS:
        for path in (ROOT / top).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


MODULES = _modules()


def _imported(name: str) -> Iterator[str]:
    """Our modules that a module imports, wherever it does, but for types only."""
    tree = ast.parse(MODULES[name].read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for each in node.names:
                below = f"{node.module}.{each.name}"
                yield below if below in MODULES else node.module


ARROWS = {name: {*_imported(name)} - {name} for name in MODULES}


def _circles(arrows: dict[str, set[str]]) -> list[str]:
    """What is left when everything that imports nothing left has been taken away."""
    left = dict(arrows)
    while ready := [name for name, others in left.items() if not others & left.keys()]:
        for name in ready:
            del left[name]
    return sorted(left)


def _between(folder: str) -> dict[str, set[str]]:
    """Arrows between the entries of a folder."""
    depth = folder.count(".") + 1
    found: dict[str, set[str]] = {}
    for name, others in ARROWS.items():
        parts = name.split(".")
        if name.startswith(f"{folder}.") and parts[depth] not in FACES:
            own = found.setdefault(parts[depth], set())
            own |= {
                other.split(".")[depth]
                for other in others
                if other.startswith(f"{folder}.") and other.split(".")[depth] not in FACES
            }
    return {name: others - {name} for name, others in found.items()}


def _floors(arrows: dict[str, set[str]]) -> dict[str, int]:
    """By entry: 1 for what imports no other, else one more than the highest that it imports."""
    assert _circles(arrows) == []
    floors: dict[str, int] = {}
    while len(floors) < len(arrows):
        for name, others in arrows.items():
            if others <= floors.keys():
                floors[name] = 1 + max((floors[each] for each in others), default=0)
    return floors


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    assert _circles(ARROWS) == []


@pytest.mark.parametrize(
    "folder", sorted(name for name, path in MODULES.items() if path.stem == "__init__")
)
def test_no_two_entries_import_each_other_in_a_circle(folder: str) -> None:
    assert _circles(_between(folder)) == []


def test_benchmarks_has_few_entries_on_few_floors() -> None:
    """Folders without code, as the suites, count as entries too."""
    entries = {
        path.stem
        for path in (ROOT / "benchmarks").iterdir()
        if path.stem not in (*FACES, "__pycache__")
    }
    floors = _floors(_between("benchmarks"))
    for floor in range(max(floors.values()), 0, -1):
        print(floor, ", ".join(sorted(name for name, at in floors.items() if at == floor)))
    print(f"{len(entries)} entries on {max(floors.values())} floors")
    assert len(entries) <= 11
    assert max(floors.values()) <= 7


def test_every_folder_has_few_entries() -> None:
    """Of code: presets, manifests, suites and published reports are lists that grow.

    So are the folders in `GROWING`. The aim is about ten entries; `dip`, from which users import,
    has the most.
    """
    for folder in {path.parent for path in MODULES.values()} - {ROOT / path for path in GROWING}:
        entries = {
            path.name
            for path in folder.iterdir()
            if path.suffix == ".py" or (path.is_dir() and [*path.glob("*.py")])
        } - {f"{name}.py" for name in FACES}
        print(len(entries), folder.relative_to(ROOT))
        assert len(entries) <= (12 if folder == ROOT / "dip" else 11), folder


# Modules that take a file away, or put one in another's place, and what keeps them from others'.
MOVES = ("rmtree", "unlink", "rmdir", "hardlink_to", "symlink_to", "copyfile", "copytree", "move")
# Of `os` and `shutil` also what lists, texts and arrays have under the same names.
OF_THE_SYSTEM = ("copy", "copy2", "link", "remove", "removedirs", "rename", "replace", "truncate")
MOVERS = {
    "benchmarks.jobs.prune": "logs named by keys; the store removes runs",
    "benchmarks.regression.gate": "its results by their names, and empty folders",
    "benchmarks.runner.executors.processes": "a temporary file of its own",
    "benchmarks.runner.executors.ray_cluster.ship_code": "copies into a temporary folder",
    "benchmarks.runner.loop": "a log named by a key",
    "benchmarks.scoring.tables": "records of runs that are here now",
    "benchmarks.store.pack": "a folder that it has unpacked to",
    "benchmarks.store.run_folder": "files that a run may have, out of its folder",
    "benchmarks.store.store": "folders named by keys, under their claims",
    "benchmarks.system.files": "the file of a lock that is held",
    "benchmarks.system.refill": "files that are listed as the program's",
    "datasets.fetch": "copies to where the cache says",
    "dip.inpainting.resume": "the state beside the output",
    "reports.publishing.draw": "figures of a published result",
    "reports.publishing.make": "the archive of what is whole now",
    "dip.system.files": "a file that was made anew, whose place the caller names",
}


def _moves_files(code: str) -> bool:
    """Whether code calls what removes, moves or links; texts and tables have others."""
    calls = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    return any(
        call.func.attr in MOVES
        or (ast.unparse(call.func.value) in ("os", "shutil") and call.func.attr in OF_THE_SYSTEM)
        or (
            call.func.attr in ("replace", "rename")
            and len(call.args) == 1
            and not call.keywords
            and not isinstance(call.args[0], ast.Constant)
        )
        for call in calls
    )


def test_few_modules_move_or_remove_files() -> None:
    movers = {
        name for name, path in MODULES.items() if _moves_files(path.read_text(encoding="utf-8"))
    }
    assert movers == {*MOVERS}


def test_what_moves_or_removes_files_is_seen() -> None:
    for code in ("os.replace(a, b)", "os.rename(a, b)", "os.remove(a)", "os.truncate(a, 0)"):
        assert _moves_files(code)
    for code in ("a.unlink()", "a.replace(b)", "os.link(a, b)", "shutil.copy(a, b)"):
        assert _moves_files(code)
    for code in ("names.remove(a)", "text.replace('a', 'b')", "text.replace(a, b)", "array.copy()"):
        assert not _moves_files(code)


def test_results_are_read_without_what_made_them() -> None:
    code = (
        "import sys, benchmarks.scoring.results;"
        "tops = [name.partition('.')[0] for name in sys.modules];"
        f"print(sum(top in {TOPS} for top in tops),"
        " *sorted({'torch', 'rich', 'multiprocessing'} & {*tops}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    count, *others = done.stdout.split()
    print(f"{count} modules of ours")
    assert int(count) <= 17
    assert others == []
