"""The specialist for code: writes it, runs it, finds its faults, and says no more than what a run has shown."""
