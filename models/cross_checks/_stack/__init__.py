"""Where one document ends and the next begins, by what pages show."""
