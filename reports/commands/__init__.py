"""The commands of `dip-bench`: a file for each group of its help."""
