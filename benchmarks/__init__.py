"""The benchmark: suites of jobs, run once each, stored raw, scored afterwards."""

from dip.errors import InputError, unknown

__all__ = ["InputError", "unknown"]
