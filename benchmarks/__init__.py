"""Speed and memory, as ratios inside one run: machines are noisy, a ratio of neighbours is not."""
