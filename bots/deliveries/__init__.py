"""Takes in proofs of delivery and confirms what was received against its order."""
