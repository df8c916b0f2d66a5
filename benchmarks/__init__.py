"""The benchmark: suites of jobs, run once each, stored raw, scored afterwards."""
