"""`python -m reports` is `dip-bench`."""

import sys

from reports.commands.app import main

if __name__ == "__main__":
    sys.exit(main())
