"""The receptive field of T. Lemsky's U-Net."""

import torch

from dip import build_network
from dip.options.networks.unet import UNetOptions


def test_a_unet_sees_no_more_than_its_receptive_field() -> None:
    """The network has one level of 3x3 encoder convolutions and a 2x2 head."""
    torch.manual_seed(0)
    network = build_network(UNetOptions(channels=(4,)), 1, 1, (20, 20)).eval()
    x = torch.rand(1, 1, 20, 20, requires_grad=True)
    network(x)[0, 0, 10, 10].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].nonzero()
    # Two 3x3 convolutions reach 2 pixels to each side, the 2x2 head one more right and down.
    assert touched.min(dim=0).values.tolist() == [8, 8]
    assert touched.max(dim=0).values.tolist() == [13, 13]
