"""Holes. Each module defines kinds of holes; a mask is (1, H, W) uint8, 1 = known, 0 = hole.

A hole depends only on the image's name and size, the hole's settings and the hole's seed, so every
method sees the same holes. Each class with a `kind` is one kind of hole.
"""

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from datasets.errors import DatasetError, unknown
from datasets.folder import is_one_line
from datasets.images import Image
from datasets.masks.base import Mask

__all__ = ["MASKS", "Mask", "make_mask", "parse_mask"]


def _find() -> list[type[Mask]]:
    modules = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    own = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    return [value for value in own if issubclass(value, Mask) and hasattr(value, "kind")]


def _by_kind(masks: Iterable[type[Mask]]) -> dict[str, type[Mask]]:
    """The classes by kind. Raises RuntimeError if two classes have the same kind."""
    named: dict[str, type[Mask]] = {}
    for mask in masks:
        other = named.setdefault(mask.kind, mask)
        if other is not mask:
            modules = f"{other.__module__} and {mask.__module__}"
            raise RuntimeError(f"{modules} both define '{mask.kind}'; rename one")
    return named


MASKS = _by_kind(sorted(_find(), key=lambda mask: (mask.order, mask.kind)))


def parse_mask(entry: Any) -> Mask:
    """A hole as it stands in YAML: `{boxes: {count: 3, side: 12}}`, or a name alone.

    A second key, `label`, is the name that results and tables have for it.

    Raises DatasetError, with where and what, if it is none.
    """
    if isinstance(entry, str):
        entry = {entry: {}}
    if isinstance(entry, dict) and len(entry) == 2 and "label" in entry:
        kind_alone = {kind: settings for kind, settings in entry.items() if kind != "label"}
        return parse_mask(kind_alone).labelled(_one_line(entry["label"]))
    if not isinstance(entry, dict) or len(entry) != 1:
        raise DatasetError(
            "a hole is one name with its settings, as 'bernoulli: {missing: 0.5}', and a label if"
            " it needs one"
        )
    ((kind, settings),) = entry.items()
    if kind not in MASKS:
        raise DatasetError(unknown("hole", str(kind), MASKS))
    if settings is not None and not isinstance(settings, dict):
        raise DatasetError(f"{kind}: settings are 'key: value' pairs, not {settings!r}")
    fields = MASKS[kind].model_fields
    for key in settings or {}:
        if key == "hole_fraction" and key not in fields:
            able = [name for name, mask in MASKS.items() if key in mask.model_fields]
            raise DatasetError(
                f"{kind}: its share of missing pixels cannot be asked for; that of"
                f" {', '.join(able)} can"
            )
        if key not in fields:
            raise DatasetError(f"{kind}: {unknown('key', str(key), fields)}")
    try:
        return MASKS[kind].model_validate(settings or {})
    except ValidationError as error:
        finding, *others = error.errors()
        where = ".".join(map(str, (kind, *finding["loc"])))
        message = finding["msg"].removeprefix("Value error, ")
        if finding["type"] not in ("missing", "value_error"):
            message += f", not {finding['input']!r}"
        more = f" (and {len(others)} more)" if others else ""
        raise DatasetError(f"{where}: {message}{more}") from None


def _one_line(label: Any) -> str:
    if not isinstance(label, str) or not label.strip() or not is_one_line(label):
        raise DatasetError(f"label: must be text on one line, not {label!r}")
    return normalize("NFC", label)


def make_mask(settings: Mask, image: Image) -> NDArray[np.uint8]:
    """The hole of these settings for this image: (1, H, W) uint8, 1 = known, 0 = hole.

    Raises DatasetError if the settings do not fit the image, or leave no hole or nothing else.
    """
    known = settings.draw(image)
    if known.all() or not known.any():
        what = "no hole" if known.all() else "no known pixel"
        raise DatasetError(
            f"{settings.label}: leaves {what} in '{image.name}'; change its settings"
        )
    return known[np.newaxis].astype(np.uint8)
