"""Side by side with peers, in one run, alternating. Never part of the gate: figures belong to a machine and an hour."""
