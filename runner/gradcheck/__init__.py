"""Proof of gradients: of a network (`network`), of our layers one by one (`layers`)."""
