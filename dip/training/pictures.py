"""Converts images and masks to the tensors of a fit, and outputs to pictures.

Pillow pictures are turned as their EXIF orientation says. Functions that make a tensor import
torch; the others do without it, because `dip inpaint` checks masks before it imports torch.
"""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from dip.errors import InputError
from dip.fills.tones import shades_in, white_in

if TYPE_CHECKING:
    from torch import Tensor

    AnyImage = Tensor | NDArray[Any] | Image.Image

CHANNELS = (1, 3, 4)  # numbers of channels that an image may have
# Pillow modes whose values are used directly, and the modes that others are converted to.
SHADES = ("L", "RGB", "RGBA", "I;16", "I;16B")
CONVERTED = {
    **{"1": "L", "LA": "RGBA", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB", "RGBX": "RGB"},
    **{"HSV": "RGB", "LAB": "RGB"},
}


def image_tensor(image: object) -> "Tensor":
    """Convert an image to the tensor of a fit.

    Args:
        image: a tensor (C, H, W) with values in [0, 1]; an array (H, W) or (H, W, C) of 8- or
            16-bit unsigned integers, or of floats in [0, 1]; or a Pillow picture. C is 1, 3 or 4.

    Returns:
        (C, H, W); values are in [0, 1] if those of a tensor or an array of floats are.

    Raises:
        InputError: the image has another type or shape.
    """
    import torch

    if isinstance(image, Image.Image):
        image = _values_of(image)
    if isinstance(image, np.ndarray):
        image = _tensor_of_array(image)
    if not isinstance(image, torch.Tensor):
        raise InputError(
            f"an image is a tensor, a NumPy array or a Pillow picture, not {type(image).__name__}"
        )
    _check_dense(image, "an image")
    if image.ndim != 3 or image.shape[0] not in CHANNELS or not image.numel():
        raise InputError(f"an image is (1, 3 or 4, H, W), not {tuple(image.shape)}")
    return image.detach()


def image_and_mask(image: object, mask: object) -> tuple["Tensor", "Tensor"]:
    """Convert an image and its mask to the tensors of a fit.

    Args:
        image: as `image_tensor` takes it; values inside the hole may be anything, also nan.
        mask: as `mask_tensor` takes it.

    Returns:
        (C, H, W) in [0, 1], with zeros in the hole; and (1, H, W), 1 = known, 0 = hole.

    Raises:
        InputError: one has another type, shape or range, or no pixel is known.
    """
    values = image_tensor(image)
    known = mask_tensor(mask, (values.shape[1], values.shape[2]))
    values = values.where(known.to(values.device) == 1, 0)
    if not (values.isfinite().all() and values.min() >= 0 and values.max() <= 1):
        raise InputError("an image must have values in [0, 1]")
    return values, known


def mask_tensor(mask: object, size: tuple[int, int]) -> "Tensor":
    """Convert a mask to the tensor of a fit.

    Args:
        mask: a tensor (1, H, W) of 1 (known) and 0 (hole); or an array (H, W) or (H, W, C), or a
            Pillow picture, that is white where the image is known. White is 1, 255 or 65535. A
            pixel is known if its first channel exceeds half of white; `dip.fills.tones` says
            how masks in colour and with transparency are read.
        size: height and width of the image in pixels.

    Returns:
        (1, H, W), 1 = known, 0 = hole.

    Raises:
        InputError: the mask has another type, size or range, or no known pixel.
    """
    import torch

    if isinstance(mask, Image.Image):
        mask = shades_in(ImageOps.exif_transpose(mask))
    if isinstance(mask, np.ndarray):
        known = known_in(mask, size)
        mask = torch.from_numpy(known.astype(np.float32))[None]
    if not isinstance(mask, torch.Tensor):
        raise InputError(
            f"a mask is a tensor, a NumPy array or a Pillow picture, not {type(mask).__name__}"
        )
    _check_dense(mask, "a mask")
    if tuple(mask.shape) != (1, *size):
        raise InputError(f"a mask is (1, H, W) of the image's size {size}, not {tuple(mask.shape)}")
    if not torch.logical_or(mask == 0, mask == 1).all():
        raise InputError("a mask must contain only 1 (known) and 0 (hole)")
    if not mask.any():
        raise InputError("the mask has no known pixel: nothing to fit to")
    return mask


def known_in(mask: NDArray[Any], size: tuple[int, int]) -> NDArray[np.bool_]:
    """Find the known pixels of a mask: those that stand for white (see `dip.fills.tones`).

    Args:
        mask: (H, W) or (H, W, C) of bool or numbers.
        size: height and width of the image in pixels.

    Returns:
        (H, W), True = known.

    Raises:
        InputError: the mask has another size, or values that are not brightness levels.
    """
    check_mask_size(mask, size, "the mask", "image")
    try:
        return white_in(mask)
    except ValueError as error:
        raise InputError(f"the mask: {error}") from None


def check_mask_size(mask: NDArray[Any], size: tuple[int, int], name: str, image_name: str) -> None:
    """Check that a mask has the size of its image, and channels.

    Args:
        mask: (H, W) or (H, W, C).
        size: height and width of the image in pixels.
        name: name of the mask in messages.
        image_name: name of the image in messages.

    Raises:
        InputError: it has not; the message has both sizes.
    """
    if mask.ndim not in (2, 3) or mask.shape == (1, *size) or mask.shape[2:] == (0,):
        raise InputError(f"{name}: an array is (H, W) or (H, W, C), not {mask.shape}")
    if mask.shape[:2] != size:
        raise InputError(
            f"{name}: {mask.shape[1]}x{mask.shape[0]} pixels, but the {image_name} has"
            f" {size[1]}x{size[0]}"
        )


def _check_dense(tensor: "Tensor", name: str) -> None:
    """Raises InputError for a tensor without real numbers for all pixels."""
    import torch

    if tensor.is_complex() or tensor.is_meta or tensor.layout != torch.strided:
        what = f"{tensor.dtype} in layout {tensor.layout} on {tensor.device}"
        raise InputError(f"{name} is a dense tensor of real numbers, not {what}")


def picture_of(output: "Tensor") -> Image.Image:
    """Convert an output to an 8-bit picture.

    Args:
        output: (C, H, W) on the CPU; values are clamped to [0, 1].
    """
    levels = (output.numpy().clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    return Image.fromarray(levels[..., 0] if levels.shape[2] == 1 else levels)


def _values_of(picture: Image.Image) -> NDArray[Any]:
    mode = picture.mode
    if mode == "P":
        converted = "RGBA" if picture.has_transparency_data else "RGB"
    elif mode in SHADES:
        converted = mode
    elif mode in CONVERTED:
        converted = CONVERTED[mode]
    else:
        raise InputError(
            f"pictures of mode {mode} are not supported, because their white is unknown; give an"
            " array with values in [0, 1]"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of palettes with transparency
        shown = ImageOps.exif_transpose(picture)
        return np.asarray(shown if converted == mode else shown.convert(converted))


def _tensor_of_array(array: NDArray[Any]) -> "Tensor":
    import torch

    channels_last = array[..., None] if array.ndim == 2 else array
    if channels_last.ndim != 3 or channels_last.shape[2] not in CHANNELS:
        raise InputError(
            f"an array is (H, W) or (H, W, 1, 3 or 4), not {array.shape}; a tensor is (C, H, W)"
        )
    white = {"u1": 255, "u2": 65535}.get(array.dtype.str[1:])
    if white is None and array.dtype.str[1:] not in ("f2", "f4", "f8"):
        raise InputError(
            f"an array holds 8- or 16-bit unsigned integers or floats, not {array.dtype}"
        )
    values = channels_last.astype(np.float64 if array.dtype.str[1:] == "f8" else np.float32)
    if white:
        values = np.divide(values, np.float32(white))
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1)))
