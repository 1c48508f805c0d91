"""How the document model is made: printed pages, noise, the loop. Needs the extra `model`, which serving does not."""
