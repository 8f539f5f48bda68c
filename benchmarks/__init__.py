"""Measure what converting, starting and streaming cost, in ratios that hold on a busy machine."""
