"""What may mislead in a data set: bad files, copies, leaks; and their repair."""
