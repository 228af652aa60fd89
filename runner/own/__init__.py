"""Own code by its file: `model=my_net.py`, `loss=my_loss.py`, `optimizer=my_opt.py:Lion`, `data=my_data.py:windows`.

code: the text of such a file, and the copy that a run folder keeps. modules: what of it was imported, by its hash.
familiar: what this user has run before.
keys: a signature as keys of a configuration. networks, losses, optimizers, sources: what the registry has of our own
is made of what a file defines. option: the YAML that Hydra composes of it. faults: code of the user's that raised.

A file is imported because somebody typed its name, or said that a copy can be trusted; readers of runs import none.
"""
