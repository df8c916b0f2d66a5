"""The outputs of a fit and the versions of their definitions.

A version increases whenever the same trajectory gives another output. Stored outputs of another
version are not used, and saved states with such outputs are refused.
"""

OUTPUT_VERSIONS = {"raw": 1, "averaged": 2}
FIRST_VERSION = 1  # version of stored outputs whose record names none
