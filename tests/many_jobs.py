"""A suite's results of any size, without fitting: one run under as many names and keys as asked."""

import hashlib
import json
import os
from pathlib import Path

import pandas as pd

from benchmarks.results import load_results
from benchmarks.run_folder import CHECKSUMS, RECORD


def multiply(folder: Path, images: int) -> int:
    """Give every job of a results folder so many images more; returns how many jobs there are.

    Their pictures are links to those that are there, with records and checksums of their own.
    """
    results = load_results(folder)
    tables = {"results.csv": [results.rows], "jobs.csv": [results.jobs]}
    for index in range(images):
        keys = {
            key: hashlib.sha256(f"{index} {key}".encode()).hexdigest()
            for key in results.jobs["key"]
        }
        for old, new in keys.items():
            _copy_run(folder.parent / "runs" / old, folder.parent / "runs" / new)
        for table in tables.values():
            renamed = table[0].assign(
                key=table[0]["key"].map(keys), image=table[0]["image"] + f" {index:04}"
            )
            if "psnr_hole" in renamed:  # so that there is something to sort
                renamed["psnr_hole"] += (index * 7919 % 1000) / 500 - 1
            table.append(renamed)
    for name, parts in tables.items():
        pd.concat(parts).to_csv(folder / name, index=False)
    return len(results.jobs) * (images + 1)


def _copy_run(old: Path, new: Path) -> None:
    new.mkdir()
    record = json.loads((old / RECORD).read_text()) | {"key": new.name}
    content = json.dumps(record).encode()
    lines = []
    for line in (old / CHECKSUMS).read_text().splitlines():
        digest, name = line.split("  ")
        if name == RECORD:
            digest = hashlib.sha256(content).hexdigest()
            (new / RECORD).write_bytes(content)
        else:
            os.link(old / name, new / name)
        lines.append(f"{digest}  {name}\n")
    (new / CHECKSUMS).write_text("".join(lines))
