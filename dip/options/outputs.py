"""The outputs of a fit, each with the version of its definition.

A version counts up whenever the same trajectory gives another output: stored outputs of another
version are not used, and states of fits that were computed with it are refused.
"""

OUTPUT_VERSIONS = {"raw": 1, "averaged": 1}
FIRST_VERSION = 1  # of whatever was stored before versions were noted
