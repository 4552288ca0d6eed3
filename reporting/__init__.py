"""Say what was seen, and sign it: orders, worklist, templates, reports, checks, signatures, delivery."""
