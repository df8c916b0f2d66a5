"""How fast fits are: engines, presets and sizes timed side by side, in one run, on one device.

`dip-bench timing` leaves its measurements and tables in a folder of their own for each
device. Times of suites are no substitute: there fits run beside each other.
"""
