"""Images and holes: manifests, loading, and mask generators."""

from datasets.errors import DatasetError
from datasets.images import Image
from datasets.manifest import load_images, load_manifest, manifest_names
from datasets.masks import MASKS, Mask, make_mask, parse_mask

__all__ = [
    "MASKS",
    "DatasetError",
    "Image",
    "Mask",
    "load_images",
    "load_manifest",
    "make_mask",
    "manifest_names",
    "parse_mask",
]
