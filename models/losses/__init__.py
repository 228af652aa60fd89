"""What a classifier is told about its logits: the loss, its L2 penalty and the share of right classes, as twins."""
