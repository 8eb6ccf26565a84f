"""When an instrument is open, taken and free: its one calendar."""
