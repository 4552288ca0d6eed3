"""Hanging protocols: which one suits a study, and what it puts where. Pure: plain values in, plain values out."""
