"""What is measured: each module compares with something in the same run and prints a table."""
