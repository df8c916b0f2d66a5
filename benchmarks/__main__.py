"""`python -m benchmarks` is `dip-bench`, whose commands stand above this folder."""

from runpy import run_module

if __name__ == "__main__":
    run_module("reports", run_name="__main__", alter_sys=True)
