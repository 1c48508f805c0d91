"""Steps on page images, one file each."""
