"""torchvision's segmentation networks, as a class that a suite can import.

    architecture:
      import: benchmarks.segmentation:Torchvision
      options: {network: lraspp_mobilenet_v3_large, classes: 3}

torchvision offers them as functions, and a suite names classes only.
"""

from torch import Tensor, nn
from torchvision.models import get_model


class Torchvision(nn.Module):
    """An untrained segmentation network of torchvision, by the name it has there.

    (B, 3, H, W) to a dictionary whose `out` is (B, classes, H, W).
    """

    def __init__(self, network: str, classes: int):
        super().__init__()
        self.network = get_model(network, weights=None, weights_backbone=None, num_classes=classes)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.network(x)
