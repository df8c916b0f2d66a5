"""Holes made from a random number for each pixel."""

from support.holes import Golden

GOLDEN: Golden = [
    (
        {"bernoulli": {"missing": 0.5}},
        "1159f1a39572b07cf8cae4c02d6272c29372c8ba12fec8c7cace9e907894773c",
    ),
    (
        {"bernoulli": {"hole_fraction": [0.1, 0.2]}},
        "daf2bada02fe64ade35b96987ecf18e6dad9ee54f68b63d7a0caf3dc0d197c8f",
    ),
    ("blobs", "a69a9c80a55027515f18f03a8236abf09098872ac1a41d1577175e86a1391daf"),
    (
        {"blobs": {"hole_fraction": [0.1, 0.2], "scale": 0.03}},
        "99e99663698b17256d7f0c2c960ea29f69551f70a8fe58340120a340648278ff",
    ),
]
