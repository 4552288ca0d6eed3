"""Templates as rows: who may do what with them, storing and choosing versions, zips, macros."""
