"""Which kernels torch may take while a job runs, beside what the fit's own engine sets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kernels(device: str, *, deterministic: bool) -> Iterator[None]:
    """Set torch's flags for a job on that device, and put them back afterwards."""
    import torch

    cudnn = torch.backends.cudnn
    before = torch.get_deterministic_debug_mode(), cudnn.deterministic
    if device.startswith("cuda"):
        if deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # what cuBLAS needs for that
        torch.cuda.set_device(device)  # events and allocations belong to this device
        torch.cuda.init()  # or there are no memory statistics to reset
    # `use_deterministic_algorithms` imports torch's compiler to set its flag, too.
    torch.set_deterministic_debug_mode("error" if deterministic else "default")
    cudnn.deterministic = deterministic
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        cudnn.deterministic = before[1]
