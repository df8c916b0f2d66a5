"""Sets torch's flags for a job: device and determinism. The engine of the fit sets the others."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def kernels(device: str, *, deterministic: bool) -> Iterator[None]:
    """Set torch's flags while a job runs, then restore them.

    Args:
        device: torch device of the job.
        deterministic: make operations without a deterministic kernel raise an error.
    """
    import torch

    cudnn = torch.backends.cudnn
    before = torch.get_deterministic_debug_mode(), cudnn.deterministic
    if device.startswith("cuda"):
        if deterministic:
            os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # cuBLAS needs it for determinism
        torch.cuda.set_device(device)  # events and allocations belong to this device
        torch.cuda.init()  # without it there are no memory statistics to reset
    # Not `use_deterministic_algorithms`, which imports torch's compiler to set a flag of that too.
    torch.set_deterministic_debug_mode("error" if deterministic else "default")
    cudnn.deterministic = deterministic
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        cudnn.deterministic = before[1]
