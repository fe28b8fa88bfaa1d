"""The business records that every pair of systems meets in, and their arithmetic. Pure: no I/O."""
