"""The names of the files in a results folder.

A results folder holds `runs/<key>/`, shared by all suites, and `<suite>/` for each suite.
An archive holds the same of one suite, and `SHA256SUMS` of all its members.
"""

RUNS = "runs"

# In runs/<key>/
CHECKSUMS = "SHA256SUMS"
RECORD = "record.json"
TRACE = "trace.csv"
STATE = "state.pt"
SCORES = "scores.json"  # written beside the run afterwards, with a checksum of its own

# In <suite>/
RESULTS = "results.csv"
SUITE = "suite.json"
JOBS = "jobs.csv"
FAILURES = "failures"  # a folder of logs
ACCOUNTING = "accounting.json"  # of the last command that fitted something
OWNER = ".dip-bench-suite"  # which suite's file it is of
RECORDS = "records.jsonl"  # of an unpacked archive: the records of all runs, packed whole or not
PACK = "results.zip"  # of a published result
PARTIAL_PACK = "partial.zip"  # of one that is being made, in parts


def file_name(output: str, iteration: int) -> str:
    """Where a run folder keeps an output of a checkpoint."""
    return f"{output.replace(':', '-')}-{iteration:06d}.png"
