"""Where arrays come from: sources, preprocessing, splits, batches. Knows nothing of models."""
