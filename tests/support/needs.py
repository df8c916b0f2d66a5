"""Marks for tests of what may not be here: image sets, and the LPIPS weights."""

import pytest

from benchmarks.metrics import lpips_weights
from datasets import load_manifest

# `make setup` gets the weights; the gate fails without them.
needs_lpips = pytest.mark.skipif(
    lpips_weights.missing() is not None, reason=str(lpips_weights.missing())
)


def needs(*names: str) -> pytest.MarkDecorator:
    """Leaves a test out where these image sets, which cannot come with the project, are not."""
    missing = [name for name in names if not load_manifest(name).is_here]
    return pytest.mark.skipif(
        bool(missing), reason=f"{', '.join(missing)} not here; fetch, or set DIP_MIRROR"
    )
