"""Proof of gradients: of a network (`network`), of our layers (`layers`), and of anybody's, line by line (`findings`).

A layer of a user's (`discovery`, `layer`) is run on inputs (`inputs`) and followed line by line (`trace`). The true
gradient of each value (`truth`) is compared with what backward made (`judge`); the first value that is wrong is
explained by trying (`causes`), and put right by trying (`repairs`, `changes`).
"""
