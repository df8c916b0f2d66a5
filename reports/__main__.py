"""`python -m reports` is `dip-bench`."""

import sys
from contextlib import suppress
from pathlib import Path

if __name__ == "__main__":  # worker processes import this module, too
    from dip.system.signals import ending_at_once
    from dip.system.surroundings import prepare_streams

    prepare_streams()
    with ending_at_once():
        from reports.commands.app import main

    with suppress(OSError):  # the current folder may be gone
        sys.path.append(str(Path.cwd()))  # for networks of one's own, behind everything else
    sys.exit(main())
