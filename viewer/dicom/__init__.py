"""DICOM files to typed attributes, decoded frames and checked stacks. No Django, no sockets.

At ingest `read.read_instance` walks a header once (`header`, `elements`, `values`, `text`) and makes an index of it
(`pixel_index`, `image_index`, `groups`, `luts`). From then on frames come from the index alone: `frames.frame_sources`,
`stacks.build_stacks`, `pixels.read_encoded`, and `decode.decode`, which runs in decode children.
"""
