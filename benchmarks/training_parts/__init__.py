"""What the training benchmark consists of: the data's parts, the plan, the plain loop, the peak, the record, the tables."""
