"""What the desk costs, measured on this machine beside its budgets: `make bench`, docs/bench.md."""
