"""DICOM objects that we write (SR, KO, GSPS): typed values in, pydicom datasets out. No Django."""
