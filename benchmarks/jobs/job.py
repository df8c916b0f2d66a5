"""A job: one optimisation, one image x one hole x one method x one seed.

Its key names the trajectory: what is computed, not how often we look at it or where it runs.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any
from unicodedata import normalize

import numpy as np
from numpy.typing import NDArray

from benchmarks.jobs.methods import AnyMethod, MethodEntry, Published, canonical_method
from benchmarks.jobs.suite import Folder, Suite
from benchmarks.metrics import METRICS
from datasets import DatasetError, Image, Mask, load_images, load_manifest, make_mask
from datasets.folder import images_in, skipped_files
from datasets.images import read_image
from datasets.masks.given import Own
from dip.errors import InputError, unknown
from dip.fills import Fill
from dip.options import EngineName, Method, OutputOptions, Precision, RuleOptions, parse_output
from dip.options.outputs import ALWAYS

RAW = parse_output("raw")
OVER = ("done", "diverged")  # words of jobs that need nothing more


@dataclass(frozen=True)
class Job:
    """mask: (1, H, W) uint8, 1 = known. picture: the restoration, where it is a published one.

    rules: stopping rules that follow the fit; outputs: those asked for; like the iterations they
    are no part of its key.
    reproduces: whose published figures the report puts beside this job's. deterministic: with
    deterministic kernels only. engine, precision: how a fit is computed; a fill has but one way.
    """

    image: Image
    mask: NDArray[np.uint8]
    mask_label: str
    method: AnyMethod
    method_label: str
    preset: str
    seed: int
    iterations: tuple[int, ...]
    rules: tuple[RuleOptions, ...] = ()
    outputs: tuple[OutputOptions, ...] = ()
    reproduces: str | None = None
    deterministic: bool = False
    engine: EngineName = "plain"
    precision: Precision = "float32"
    picture: Image | None = None

    @property
    def name(self) -> str:
        """How people name the job: image/hole/method/seed."""
        return f"{self.image.name}/{self.mask_label}/{self.method_label}/{self.seed}"

    @property
    def hole_fraction(self) -> float:
        return float(1 - self.mask.mean())

    @property
    def stored_outputs(self) -> dict[str, OutputOptions]:
        """What its run holds, by label: of a fit raw and averaged output whatever is asked for."""
        always = ALWAYS if isinstance(self.method, Method) else ()
        return {output.label: output for output in (*always, *self.outputs)}

    @property
    def architecture(self) -> str:
        return self.method.architecture.label if isinstance(self.method, Method) else ""

    @cached_property
    def trajectory(self) -> dict[str, Any]:
        """What is computed: image, hole, method with every setting, seed, way of computing.

        A setting added later is left out while it is at its default (see `dip.options.canonical`).
        Threads, device and package versions change digits too; they are in the record.
        """
        versions: dict[str, int | str] = {}
        if isinstance(self.method, Method):
            versions = self.method.versions
        elif isinstance(self.method, Fill):
            versions = {self.method.name: self.method.version}
        return {
            **({"picture": self.picture.sha256} if self.picture else {}),
            "image": self.image.sha256,
            "mask": hashlib.sha256(self.mask.tobytes()).hexdigest(),
            "method": canonical_method(self.method),
            "versions": versions,
            "seed": self.seed,
            "engine": self.engine,
            "precision": self.precision,
            "deterministic": self.deterministic,
        }

    @cached_property
    def key(self) -> str:
        """SHA-256 of the canonical trajectory."""
        return key_of(self.trajectory)


def key_of(trajectory: Mapping[str, Any]) -> str:
    """The key of the run that computes this, as its record tells it, too."""
    text = json.dumps(trajectory, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def specification(jobs: Iterable[Job]) -> dict[str, Any]:
    """Describe what the jobs compute, without their seeds.

    Results of the same name may be compared only if their specifications are equal.

    Args:
        jobs: those of one suite.

    Returns:
        images: SHA-256 by image name.
        masks: SHA-256 by `image/hole`.
        pictures: SHA-256 of published pictures by `image/label`, where there are any.
        methods: by label, the rest of the trajectory: settings, component versions, way of
            computing.
        outputs, metrics: versions by name.
    """
    parts: dict[str, Any] = {"images": {}, "masks": {}, "methods": {}, "pictures": {}}
    outputs = dict.fromkeys(ALWAYS)
    for job in jobs:
        outputs |= dict.fromkeys(job.outputs)
        trajectory = {name: part for name, part in job.trajectory.items() if name != "seed"}
        if picture := trajectory.pop("picture", None):
            parts["pictures"][f"{job.image.name}/{job.method_label}"] = picture
        parts["images"][job.image.name] = trajectory.pop("image")
        parts["masks"][f"{job.image.name}/{job.mask_label}"] = trajectory.pop("mask")
        parts["methods"][job.method_label] = trajectory
    if not parts["pictures"]:  # as in specifications that are stored
        del parts["pictures"]
    return {
        **parts,
        "outputs": {output.label: output.version for output in outputs},
        "metrics": {name: metric.version for name, metric in METRICS.items()},
    }


def expand(suite: Suite) -> list[Job]:
    """Make the jobs of a suite, method by method.

    Args:
        suite: what to run.

    Returns:
        One job for each image, hole, setting and seed; a fill has one seed.

    Raises:
        InputError: an image cannot be read, a hole does not fit it, it is too small for a network,
            or two images or holes are one and the same.
    """
    dataset = suite.dataset.folder if isinstance(suite.dataset, Folder) else suite.dataset
    try:
        images = load_images(dataset, suite.images, suite.size, crop=suite.crop)
    except DatasetError as error:
        key = "images" if str(error).startswith("unknown image") else "dataset"
        raise InputError(f"{suite.file}: {key}: {error}") from None
    pictures = {image.name: image.sha256 for image in images}
    if suite.images is None and isinstance(suite.dataset, Folder):
        # Of equal pictures only the first is used; `skipped_images` names the others.
        first = {sha256: name for name, sha256 in reversed(pictures.items())}
        images = [image for image in images if first[image.sha256] == image.name]
    elif same := _same(pictures):
        raise InputError(
            f"{suite.file}: dataset: images {same} are the same picture, which would count twice;"
            " leave one out"
        )
    masks = {}
    for image, (index, mask) in product(images, enumerate(suite.masks)):
        if isinstance(mask, Own) and not image.has_truth:
            raise InputError(
                f"{suite.file}: masks[{index}]: own: nobody knows what is behind the hole of"
                f" '{image.name}', so that nothing could be scored; leave the image out, or use"
                " another hole"
            )
        try:
            masks[image.name, mask.label] = make_mask(mask, image)
        except DatasetError as error:
            raise InputError(f"{suite.file}: masks[{index}]: {error}") from None
    drawn = {
        mask.label: tuple(
            hashlib.sha256(masks[image.name, mask.label].tobytes()).digest() for image in images
        )
        for mask in suite.masks
    }
    if same := _same(drawn):
        raise InputError(
            f"{suite.file}: masks: {same} are the same hole in every image, which would count"
            " twice; leave one out"
        )
    own_seeds = {image.name: suite.seeds_for(image) for image in images}
    jobs = []
    for entry, label, method in _methods(suite, images):
        seeds: dict[str, list[int]] = {image.name: [0] for image in images}
        # A fill is one answer: no seed, no iterations.
        how: dict[str, Any] = {"iterations": (0,), "outputs": (RAW,)}
        if isinstance(method, Method):
            seeds = own_seeds
            how = {
                "iterations": suite.checkpoints(entry),
                "rules": suite.rules_for(method),
                "outputs": suite.outputs_for(entry),
                "reproduces": entry.reproduces,
                "deterministic": suite.deterministic,
                "engine": suite.engine,
                "precision": suite.precision,
            }
        for image, mask in product(_images_of(entry, images), suite.masks):
            hole, preset = masks[image.name, mask.label], entry.preset or ""
            if isinstance(method, Published):
                how["picture"] = _picture(suite, label, method, image, mask)
            for seed in seeds[image.name]:
                jobs.append(Job(image, hole, mask.label, method, label, preset, seed, **how))
    _check_held_out(suite, jobs)
    return _with_outputs_of_their_run(jobs)


def _with_outputs_of_their_run(jobs: Sequence[Job]) -> list[Job]:
    """Jobs of one key are one fit, which has the outputs that any of them asks for."""
    by_key: dict[str, dict[OutputOptions, None]] = {}
    for job in jobs:
        by_key.setdefault(job.key, {}).update(dict.fromkeys(job.outputs))
    return [replace(job, outputs=tuple(by_key[job.key])) for job in jobs]


def _same(content: Mapping[str, Hashable]) -> str:
    """The names of the first two entries with equal content; empty if there are none."""
    known: dict[Hashable, str] = {}
    for name, own in content.items():
        if (other := known.setdefault(own, name)) != name:
            return f"'{other}' and '{name}'"
    return ""


def skipped_images(suite: Suite, jobs: Iterable[Job]) -> list[str]:
    """Lines that name skipped files of the suite's image folder, and why."""
    if suite.images is not None or not isinstance(suite.dataset, Folder):
        return []
    folder = suite.dataset.folder
    used = {job.image.name for job in jobs}
    notices = [skipped_files(folder)]
    if equal := [f"'{name}'" for name in images_in(folder) if name not in used]:
        notices.append(f"skipped, the same picture as another image: {', '.join(equal)}")
    return [f"{folder}: {notice}" for notice in notices if notice]


def _picture(suite: Suite, label: str, method: Published, image: Image, mask: Mask) -> Image:
    """The picture that was published of an image; raises InputError if there is none that fits."""
    place = f"{suite.place(label)}.published"
    if not isinstance(mask, Own) or suite.crop is not None or suite.size is not None:
        raise InputError(
            f"{place}: published pictures are of whole images with the set's own holes; leave out"
            " crop, size and masks other than 'own'"
        )
    files = {each.method: each.file for each in image.published if each.file is not None}
    if method.name not in files:
        what = unknown("method", method.name, files) if files else "no picture is published"
        raise InputError(f"{place}: '{image.name}': {what}")
    assert isinstance(suite.dataset, str)  # a folder has no published pictures
    try:
        picture = read_image(load_manifest(suite.dataset).path(files[method.name]), image.name)
    except DatasetError as error:
        raise InputError(f"{place}: {error}") from None
    if picture.pixels.shape != image.pixels.shape:
        raise InputError(f"{place}: the picture of '{image.name}' has another size or colours")
    return picture


def _check_held_out(suite: Suite, jobs: list[Job]) -> None:
    for job in jobs:
        if isinstance(job.method, Method):
            try:
                job.method.held_out_pixels(int(job.mask.sum()))
            except InputError as error:
                place = suite.place(job.method_label)
                raise InputError(f"{place}: {error}, in '{job.image.name}'") from None


def _methods(suite: Suite, images: list[Image]) -> Iterator[tuple[MethodEntry, str, AnyMethod]]:
    names = [image.name for image in images]
    for index, entry in enumerate(suite.methods):
        for name in map(_normal, entry.images or ()):
            if name not in names:
                place = f"{suite.file}: methods[{index}].images"
                raise InputError(f"{place}: {unknown('image', name, names)}")
        of_method = _images_of(entry, images)
        _check_published(suite, index, entry, of_method)
        for label, method in entry.expand():
            if isinstance(method, Method):
                _check_import(suite, index, method)
                _check_sizes(suite, index, entry, method, of_method)
            yield entry, label, method


def _images_of(entry: MethodEntry, images: Sequence[Image]) -> list[Image]:
    if entry.images is None:
        return list(images)
    chosen = {*map(_normal, entry.images)}
    return [image for image in images if _normal(image.name) in chosen]


def _normal(name: str) -> str:
    return normalize("NFC", name)


def _check_published(suite: Suite, index: int, entry: MethodEntry, images: list[Image]) -> None:
    """That there is something to put a method that reproduces another one's figures beside."""
    if entry.reproduces is None:
        return
    figures = [each for image in images for each in image.published]
    known = {each.method for each in figures}
    iterations = {each.iteration for each in figures if each.method == entry.reproduces}
    wrong = ""
    if entry.reproduces not in known:
        what = unknown("method", entry.reproduces, known)
        wrong = what if known else "no figures are published of these images"
    elif suite.size is not None:
        wrong = "published figures are of whole images; leave size out"
    elif suite.crop is not None:
        wrong = "published figures are of whole images; leave crop out"
    elif not any(isinstance(mask, Own) for mask in suite.masks):
        wrong = "published figures are of the set's own holes; add the mask 'own'"
    elif not iterations & set(suite.checkpoints(entry)):
        listed = ", ".join(map(str, sorted(each for each in iterations if each is not None)))
        wrong = f"published figures are of other iterations: {listed}"
        if not listed:
            wrong = "of which iteration the published figures are is not known"
    if wrong:
        raise InputError(f"{suite.file}: methods[{index}].reproduces: {wrong}")


def _check_import(suite: Suite, index: int, method: Method) -> None:
    try:
        _ = method.architecture.key_version
    except InputError as error:
        raise InputError(f"{suite.file}: methods[{index}]: architecture: {error}") from None


def _check_sizes(
    suite: Suite, index: int, entry: MethodEntry, method: Method, images: list[Image]
) -> None:
    needed = method.architecture.minimum_side
    for image in images:
        if min(image.height, image.width) < needed:
            raise InputError(
                f"{suite.file}: methods[{index}]: '{image.name}' has {image.width}x{image.height}"
                f" pixels, too few for {entry.preset}, which needs {needed} on each side;"
                f" use a larger {'size' if suite.crop is None else 'crop'}, or fewer values in"
                " architecture.channels"
            )
