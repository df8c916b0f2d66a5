"""Image sets: what their manifests say, where files are looked for, and what is read of them."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image as Pillow
from pydantic import ValidationError
from support.needs import needs

import datasets.manifest
from datasets import DatasetError, load_images, load_manifest, make_mask, manifest_names, parse_mask
from datasets.images import read_image
from datasets.manifest import Manifest, cache_folder
from dip.system.yaml import read_yaml


@pytest.fixture
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No mirror, and an empty cache."""
    monkeypatch.delenv("DIP_MIRROR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize("name", manifest_names())
def test_every_manifest_says_where_its_images_are_from(name: str) -> None:
    """Each address is of a pinned commit, each file has a hash, no two images one name."""
    manifest = load_manifest(name)
    assert manifest.title
    for file, sha256 in manifest.files.items():
        assert len(sha256) == 64
        assert Path(file).name == file or manifest.package
    if manifest.address is not None:
        assert manifest.address.startswith("https://raw.githubusercontent.com/")
        assert manifest.address.endswith("/")
        commit = manifest.address.split("/")[5]
        assert len(commit) == 40
        assert set(commit) <= set("0123456789abcdef")


@pytest.mark.parametrize("name", manifest_names())
def test_a_manifest_names_no_key_twice(name: str) -> None:
    """The loader of suites refuses that; sets are ours, and are held to it here."""
    text = (datasets.manifest.FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    assert read_yaml(text) == yaml.safe_load(text)


def test_the_sets_are_complete() -> None:
    sizes = {name: len(load_manifest(name).images) for name in manifest_names()}
    assert sizes == {
        "cbsd68": 68,
        "dip-examples": 3,
        "inpainting-11": 11,
        "kodak": 24,
        "lpips-check": 3,
        "scikit-image": 13,
        "seed-examples": 1,
        "set12": 12,
    }


@pytest.mark.parametrize(
    "name",
    [
        "scikit-image",
        *(
            pytest.param(name, marks=needs(name))
            for name in ("inpainting-11", "dip-examples", "seed-examples", "lpips-check")
        ),
    ],
)
def test_every_image_is_what_its_manifest_says(name: str) -> None:
    manifest = load_manifest(name)
    images = load_images(name)
    assert [image.name for image in images] == list(manifest.images)
    for image in images:
        entry = manifest.images[image.name]
        assert (image.height, image.width) == (entry.height, entry.width)
        assert (image.own_mask is None) == (entry.mask is None)
        if image.own_mask is not None:
            assert 0 < image.own_mask.mean() < 1


def test_unknown_names_have_a_nearest_one() -> None:
    with pytest.raises(DatasetError, match="unknown image 'astronout'. Did you mean 'astronaut'"):
        load_images("scikit-image", ["astronout"])
    with pytest.raises(DatasetError, match="unknown dataset 'scikit-imag'. Did you mean"):
        load_images("scikit-imag")


def test_what_is_not_here_says_how_to_get_it(nothing_here: Path) -> None:
    assert nothing_here
    assert not load_manifest("set12").is_here
    with pytest.raises(DatasetError, match="`dip-bench data fetch set12` gets it, or DIP_M"):
        load_images("set12", ["07"])
    assert load_manifest("scikit-image").is_here


@pytest.fixture
def small_set(nothing_here: Path) -> Callable[..., Manifest]:
    """A set of one colour picture and its mask, in the cache."""

    def write(pixels: np.ndarray, masked: np.ndarray, **mask: object) -> Manifest:
        folder = cache_folder() / "small"
        assert folder.is_relative_to(nothing_here)
        folder.mkdir(parents=True, exist_ok=True)
        files = {"a.png": pixels, "m.png": masked}
        for name, picture in files.items():
            Pillow.fromarray(picture).save(folder / name)
        sha256 = {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in files}
        own_mask = {"file": "m.png", "sha256": sha256["m.png"], **mask}
        entry = {"file": "a.png", "height": 8, "width": 9, "sha256": sha256["a.png"]}
        content = {
            "name": "small",
            "title": "Small",
            "address": "https://example.org/",
            "licence": "MIT",
            "citation": "this test",
            "images": {"a": {**entry, "mask": own_mask}},
        }
        return Manifest.model_validate(content)

    return write


def test_the_cache_and_the_mirror_are_looked_at(
    small_set: Callable[..., Manifest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = np.zeros((8, 9, 3), np.uint8)
    manifest = small_set(picture, picture + 1)
    cached = cache_folder() / "small"
    shutil.copytree(cached, tmp_path / "mirror" / "small")
    assert manifest.is_here
    (cached / "a.png").unlink()
    with pytest.raises(DatasetError, match="a.png is not here"):
        manifest.path("a.png")
    monkeypatch.setenv("DIP_MIRROR", "https://example.org/")  # of use to fetching only
    assert not manifest.is_here
    monkeypatch.setenv("DIP_MIRROR", str(tmp_path / "mirror"))
    assert manifest.path("a.png") == tmp_path / "mirror" / "small" / "a.png"
    (cached / "a.png").write_bytes(b"another")
    with pytest.raises(DatasetError, match=r"a.png: not the expected file .* fetch small` gets it"):
        manifest.path("a.png")
    (cached / "a.png").unlink()
    (cached / "a.png").mkdir()
    with pytest.raises(DatasetError, match=r"a.png: cannot be read \(Is a directory\)"):
        manifest.path("a.png")


def test_a_mask_that_differs_is_where_any_channel_does(
    small_set: Callable[..., Manifest],
) -> None:
    """A black pixel that both have is known; a pixel with one other channel is missing."""
    pixels = np.full((8, 9, 3), 200, np.uint8)
    pixels[0] = 0
    masked = pixels.copy()
    masked[3, 4] = 0
    masked[5, 6, 1] = 0
    image = small_set(pixels, masked, hole="differs").image("a")
    assert image.own_mask is not None
    assert np.argwhere(~image.own_mask).tolist() == [[3, 4], [5, 6]]
    for other in (masked[:, :8], masked[..., 0]):
        with pytest.raises(DatasetError, match="has another size, or other channels, than"):
            small_set(pixels, other, hole="differs").image("a")


@needs("inpainting-11")
def test_the_authors_mask_is_where_their_picture_differs() -> None:
    """And not where it is zero: the truth has such pixels too."""
    manifest = load_manifest("inpainting-11")
    black = 0
    for image in load_images("inpainting-11"):
        masked = read_image(manifest.path(f"{image.name}_masked.png"), "x").pixels
        hole = make_mask(parse_mask("own"), image)[0] == 0
        assert (masked[:, hole] == 0).all()
        assert np.array_equal(masked[:, ~hole], image.pixels[:, ~hole])
        assert (image.pixels[:, hole] != 0).all()
        black += int((image.pixels == 0).sum())
        assert 0.49 < hole.mean() < 0.51
    assert black == 1015  # as the manifest says


@needs("dip-examples")
def test_own_masks_follow_the_size_of_the_images() -> None:
    (whole,), (small,) = (load_images("dip-examples", ["kate"], size) for size in (None, 128))
    assert whole.own_mask is not None
    assert small.own_mask is not None
    assert whole.own_mask.shape == (512, 512)
    assert small.own_mask.shape == (128, 128)
    shares = [1 - image.own_mask.mean() for image in (whole, small)]
    assert shares[0] == pytest.approx(0.043, abs=0.001)  # of the whole image, as is known
    assert shares[1] == pytest.approx(shares[0], rel=0.1)


@needs("dip-examples")
def test_own_masks_are_cropped_along() -> None:
    (whole,), (part,) = (load_images("dip-examples", ["kate"], crop=crop) for crop in (None, 101))
    assert whole.own_mask is not None
    middle = slice(205, 306)  # of 512 pixels
    assert np.array_equal(part.pixels, whole.pixels[:, middle, middle])
    assert np.array_equal(part.own_mask, whole.own_mask[middle, middle])


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "mine.yaml: a manifest is 'key: value' lines"),
        ("title: [", "mine.yaml: is not YAML that can be read"),
        ("title: A\nimages: {}\n", "mine.yaml: a set has either a package or an address"),
        ("title: A\nimages: {a: {file: ../a.png}}\n", "mine.yaml: images.a.file: a file lies"),
    ],
    ids=["empty", "yaml", "whole", "entry"],
)
def test_a_manifest_that_is_wrong_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, match: str
) -> None:
    monkeypatch.setattr(datasets.manifest, "FOLDER", tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(DatasetError, match=match):
        load_manifest("mine")


def test_manifests_that_are_wrong_are_refused() -> None:
    entry = {"file": "a.png", "height": 1, "width": 1, "sha256": "0" * 64}
    whole = {
        "name": "a",
        "title": "A",
        "address": "https://example.org/",
        "licence": "MIT",
        "citation": "me",
        "images": {"a": entry},
    }
    assert Manifest.model_validate(whole)
    for change in (
        {"licence": ""},
        {"citation": ""},
        {"address": None},
        {"package": "skimage"},
        {"images": {"a": {**entry, "file": "../a.png"}}},
        {"images": {"a": {**entry, "file": "/a.png"}}},
        {"images": {"a": {**entry, "fiel": "a"}}},
        {"images": {"a": {**entry, "sha256": "0"}}},
        {"images": {"a": {**entry, "published": [{"method": "DIP", "file": "b.png"}]}}},
        {
            "images": {
                "a": {**entry, "published": [{"method": "D", "file": "../b", "sha256": "0" * 64}]}
            }
        },
        {"images": {"a": {**entry, "published": [{"method": "DIP", "psnr": 1}]}}},
    ):
        with pytest.raises(ValidationError):
            Manifest.model_validate({**whole, **change})
