"""What is written to the log: in which form, and what each line is about."""
