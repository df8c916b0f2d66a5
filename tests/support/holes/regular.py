"""Holes without random numbers."""

from support.holes import Golden

GOLDEN: Golden = [
    ("centre", "e10ab089854fa33326ae6bb2113a0c19df4a5bb9d510ee8373e106d69c829080"),
    (
        {"centre": {"hole_fraction": [0.1, 0.2]}},
        "ce42525a559dd84b06058ae83d993ed2c9f4341a519de5d22cf27a8408b1048d",
    ),
    (
        {"half": {"where": "left"}},
        "7a8b23b57805fa0136c8237e6c1f4d86cee83c02e769e5396a789e49ffb2b7f5",
    ),
    (
        {"half": {"where": "right"}},
        "d7557db23f62b2b98107a25821603a503fe7035f40acdab5537e5121ff42b805",
    ),
    (
        {"half": {"where": "top"}},
        "9f6b2c6aa2851aaea9323028e7e6f5878ad1c260a099e61966bd14ffb5738d50",
    ),
    (
        {"half": {"where": "bottom"}},
        "d6d4b158a04f9bea75003bf9b6cea3735baf80d97d955e1bba93fa9da3deaf2a",
    ),
    ({"lines": {"every": 2}}, "469c8b1dd09258166dc84372383f874153982d3dbfdea5b2b145b84ec08a530e"),
    (
        {"lines": {"every": 5, "direction": "columns"}},
        "e8eb409601f98d2cfeda2ebf88ced94bbb024ad797b23f5c4a39797ccf188913",
    ),
    ("checkerboard", "2409f56b6d5107d929adbbe404706c981d9e08291fe6c3a62e6508f60f5b27ab"),
]
