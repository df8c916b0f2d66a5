"""`python -m datasets` is `dip-bench data`, whose commands stand above this folder."""

import sys
from runpy import run_module

if __name__ == "__main__":
    sys.argv.insert(1, "data")
    run_module("reports", run_name="__main__", alter_sys=True)
