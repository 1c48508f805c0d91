"""Steps on page images, one file each."""

import cv2

cv2.setNumThreads(1)  # pages are read side by side, one on each core; and the sandbox's template, which forks, has one
