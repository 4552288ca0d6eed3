"""Hanging protocols: which one suits a study, and which images go where. Pure: studies and protocols come in as plain values."""
