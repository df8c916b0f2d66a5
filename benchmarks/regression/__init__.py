"""Whether reconstructions have got worse: one side of scores against another.

`dip-bench regress` fits the suite `regression` afresh and compares it with the committed baseline,
`dip-bench compare A B` makes the same decision for any two results folders. `scores.py` reads the
scores of a side; `comparable.py` says what may be compared, `significance.py` what seeds can tell,
and `decision.py` decides. `page.py` writes that down for people, `ci.py` for machines;
`baseline.py` keeps what the gate compares with, and `gate.py` does one after the other.
"""
