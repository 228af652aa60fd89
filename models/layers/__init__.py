"""Layers by hand: functions of arrays, forward next to backward."""
