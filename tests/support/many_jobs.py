"""A suite's results of any size, without fitting: its runs under as many names and keys as asked.

`python tests/support/many_jobs.py results/quick 2000` prints how long a page of so many jobs takes
to be built, to open and to sort, and how smoothly it scrolls.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.scoring.results import load_results
from benchmarks.store.layout import CHECKSUMS, RECORD
from reports.build import build
from reports.page.screenshots import browser


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


SORT = """() => {
  const start = performance.now();
  sortBy("psnr");
  document.body.offsetHeight;
  return performance.now() - start;
}"""
SCROLL = """async () => {
  const gaps = [];
  let last = performance.now();
  document.getElementById("table").scrollIntoView();
  await new Promise((over) => {
    const frame = () => {
      const now = performance.now();
      gaps.push(now - last);
      last = now;
      scrollBy(0, 400);
      const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 1;
      if (byId("more").hidden && isAtEnd) over();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  gaps.sort((a, b) => a - b);
  return { frames: gaps.length, median: gaps[gaps.length >> 1], longest: gaps.at(-1), rows: drawn };
}"""


def measure(page: Path) -> dict[str, Any]:
    """Seconds until the first row is there, milliseconds of a sort, and of frames in scrolling."""
    with browser() as started:
        opened = started.new_page(viewport={"width": 1280, "height": 900})
        pictures: list[str] = []
        opened.on("request", lambda each: pictures.append(each.url) if ".png" in each.url else None)
        start = time.perf_counter()
        opened.goto(page.resolve().as_uri())
        opened.locator("#table tbody tr").first.wait_for()
        seconds = time.perf_counter() - start
        at_first = len(pictures)
        return {
            "seconds until the first row": round(seconds, 2),
            "pictures at first": at_first,
            "milliseconds of a sort": round(opened.evaluate(SORT)),
            "scrolling": opened.evaluate(SCROLL),
            "pictures at the end": len(set(pictures)),
        }


def main() -> None:
    results, jobs = Path(sys.argv[1]), int(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / results.name
        shutil.copytree(results, folder, ignore=shutil.ignore_patterns("report"))
        keys = load_results(results).jobs["key"]
        for key in keys:
            shutil.copytree(results.parent / "runs" / key, folder.parent / "runs" / key)
        many = multiply(folder, -(-jobs // len(keys)) - 1)
        start = time.perf_counter()
        page = build(folder).page
        assert page
        print(f"{many} jobs, built in {time.perf_counter() - start:.0f} s")
        for what, value in measure(page).items():
            print(f"{what}: {value}")


if __name__ == "__main__":
    main()
