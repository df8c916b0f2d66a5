"""A convolution of torch, which stands for any imported network."""

from dip.options.networks.imported import ImportedOptions
from support.networks import INPUT_CHANNELS, Facts

CONVOLUTION = ImportedOptions.model_validate(
    {
        "import": "torch.nn:Conv2d",
        "options": {"in_channels": INPUT_CHANNELS, "out_channels": 3, "kernel_size": 5},
    }
)
FACTS = Facts(golden={"import": CONVOLUTION}, parameters=((CONVOLUTION, INPUT_CHANNELS, 303),))
