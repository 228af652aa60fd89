"""Image classifiers: convolutions with normalisation, activation and pooling, then dense layers; or these alone."""
