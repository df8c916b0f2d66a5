"""Boxes, strokes and scratches."""

from support.holes import Golden

GOLDEN: Golden = [
    (
        {"boxes": {"count": 3, "side": 12}},
        "94a28a278cdf3e62d6cad73edb31ec97fbb2f4bfc3d63fd12e986cb8d8c37e91",
    ),
    (
        {"boxes": {"side": 12, "hole_fraction": [0.1, 0.2]}},
        "beded902e052c41f34ed19d7117b1ef037d7c1c244f2177ae8d315d692e7c7be",
    ),
    ("scratches", "e1d675204ec5ed7212b49f87a0a87f5a2e2c23b5a7a90b65e83e72817e1d70e0"),
    (
        {"scratches": {"width": 3, "hole_fraction": [0.1, 0.2]}},
        "08b82e7d6c533ac7b7e8b970610e833e1aca4ba72f1d5f9a05f3a4850ae9860c",
    ),
    (
        {"strokes": {"brush": "thin"}},
        "5a009154333489ef626a25ad66b72a641691fb6b12d8381983ddee2c53e39040",
    ),
    (
        {"strokes": {"brush": "medium"}},
        "dcbcf21da3d55c6b6417af816abc0e0fc4cd73b5ee45972f6a4ea42031417723",
    ),
    (
        {"strokes": {"brush": "thick"}},
        "889bc50f9d211d7520a9e0fe8e32ac22aa838b846a34a97f187fc126cd0fdb02",
    ),
    (
        {"strokes": {"brush": "deepfill"}},
        "7e84a6e273c6991f3d15c04ca666480cf2a8a665e35a68a02f2660df1b01f53f",
    ),
    (
        {"strokes": {"brush": "thin", "hole_fraction": [0.5, 0.6]}},
        "ea0a8077d65ca54c418b3b9f95b20e7c2c7c0399b9c89504e72b778e06a4f0ee",
    ),
    (
        {"strokes": {"brush": "deepfill", "hole_fraction": [0.5, 0.6]}},
        "67dbfb802b3c8ddcfdec52fc6a5da66cd860780881617d931fde1af8986a80d2",
    ),
]
