"""A crash at every boundary; afterwards nothing is lost and nothing is there twice."""
