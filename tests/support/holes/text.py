"""Text over the image."""

from support.holes import Golden

GOLDEN: Golden = [
    ("text", "50f7d946ad29414a07104001c8b3bdef36ca03fb2f96bc24ff98ce1911a3bfc0"),
    (
        {"text": {"dot": 2, "spacing": 1}},
        "70e5fb4966e715557d3e65d0ddb42f7e0e8b5cd228cbe90ecb6ae3f92a3b5b36",
    ),
    (
        {"text": {"hole_fraction": [0.05, 0.1]}},
        "203f2ac0a3cbd866d6db7402a3248592b4b7abfe7dd25963e31cdb5edd743dd1",
    ),
]
