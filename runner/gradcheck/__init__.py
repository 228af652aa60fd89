"""Proof of gradients: of a network (`network`), of our layers (`layers`), and of anybody's, line by line (`findings`).

A layer of a user's (`discovery`, `layer`, `places`, `returned`) is run on inputs (`inputs`) and followed line by line
(`trace`, `versions`, `passes`). The true gradient of each value (`truth`, `replay`) is compared with what backward made
(`judge`); the first value that is wrong is explained by trying (`comparison`, `causes`, `factors`, `axes`, `sums`), and
put right by trying (`suspects`, `repairs`, `changes`, `argument_changes`, `additions`).
"""
