"""Photos and requests drawn from a seed, and the laws that hold of whatever comes of them."""
