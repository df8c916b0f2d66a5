"""How a fit is computed: the engines `plain` and `fast`, their layers, and the clock."""
