"""duograd: every network twice, its gradient by hand in NumPy and by autograd in PyTorch."""
