"""One file per source of samples, and what sources share."""
