"""BitMart spot, where trading has ended: reading only."""
