"""What the training benchmark is made of: the plain loop, the matrix peak, the record of what was measured."""
