"""Whether reconstructions have got worse: one side of scores against another.

`python -m benchmarks regress` fits the suite `regression` afresh and holds it to the committed
baseline, `python -m benchmarks compare A B` does the same for any two results folders. A side's
scores are read by `side.py`; `likeness.py` says what may be compared, `spread.py` what seeds can
tell, and `decision.py` decides. `page.py` writes that down for people, `machines.py` for machines;
`baseline.py` keeps what the gate compares with, `speed.py` times the engines, and `gate.py` does
one after the other.
"""
