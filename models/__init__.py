"""Networks, layers and optimizers: derived by hand in NumPy, and their twins in PyTorch."""
