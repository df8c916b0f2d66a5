"""`python -m reports` is `dip-bench`."""

import sys
from contextlib import suppress
from pathlib import Path

from reports.commands.app import main

if __name__ == "__main__":
    with suppress(OSError):  # the current folder may be gone
        sys.path.append(str(Path.cwd()))  # for networks of one's own, behind everything else
    sys.exit(main())
