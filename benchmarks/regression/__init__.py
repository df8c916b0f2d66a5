"""Whether reconstructions have got worse: one side of scores against another.

`python -m benchmarks regress` fits the suite `regression` afresh and holds it to the committed
baseline, `python -m benchmarks compare A B` does the same for any two results folders. A side's
scores are read by `side.py`, the decision is made by `decision.py`, `pages.py` writes it down for
people and machines; `baseline.py` keeps what the gate compares with, `speed.py` times the engines.
"""
