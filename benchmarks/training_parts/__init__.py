"""Parts of the training benchmark: the plain loop, the matrix peak, the record of measurements."""
