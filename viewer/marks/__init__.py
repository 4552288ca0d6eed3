"""What readers leave on images, measurements and key images: kept, shared, written as DICOM objects and read from them."""
