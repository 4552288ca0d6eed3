"""DICOM over the web (PS3.18): QIDO-RS, WADO-RS, STOW-RS, WADO-URI over the archive and the engine."""
