"""The report's own arithmetic: its mistakes, each where it was made, apart from the networks that have none.

`gradient=report` trains with all of them that a run has, `gradient=row_5` with one, numbered as in the report's list of
errors. table: which there are, and which runs have them. autoencoder, recurrent: the gradients. dense: what stands on a
recurrent layer. optimizers: momentum, Adam, and what goes with a sum over the batch. Row 16 is one of preprocessing:
`data/report_patches.py`.

What is measured is never the report's: losses and accuracies are those of the right cost, at the weights that its
gradients led to.
"""
