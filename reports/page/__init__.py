"""The page of a suite's results, for a browser: `index.html` with its pictures in `jobs/`.

It needs no network and no server. What it shows of each job is in `contents.py`, how in
`templates/page/`; `screenshots.py` takes pictures of it.
"""
