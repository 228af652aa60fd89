"""Recurrent classifiers of sequences: RNN, LSTM and GRU, many-to-one, with dense layers on top."""
