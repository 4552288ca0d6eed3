"""DICOM over its own network (PS3.7, PS3.8): a process of its own that receives, answers and sends."""
