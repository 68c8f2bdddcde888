"""Outside systems that hold documents."""
