"""The Lanczos filter of the `skip` network."""

import pytest
import torch

from dip.networks.lanczos import Lanczos


@pytest.mark.parametrize(
    ("support", "expected"),
    [
        (2, [0.0100571865, 0.0737197363, -0.00153661, 0.0587876183]),
        (3, [0.0088280432, 0.083323987, -0.0023389088, 0.0451099246]),
    ],
)
def test_the_lanczos_filter_starts_as_its_source_starts(
    support: int, expected: list[float]
) -> None:
    """Its `models/downsampler.py` gives the same mean, standard deviation and two pixels."""
    x = (torch.arange(16 * 24, dtype=torch.float64) * 0.37).sin().reshape(1, 1, 16, 24)
    output = Lanczos(3, support).double()(x.repeat(1, 3, 1, 1))
    figures = [output.mean(), output.std(), output[0, 0, 2, 3], output[0, -1, -1, -1]]
    assert [value.item() for value in figures] == pytest.approx(expected, abs=1e-8)
