"""One room per external system: everything that knows a wire format, and nothing else."""
