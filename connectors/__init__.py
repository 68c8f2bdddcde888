"""The doors: the only room that imports a vendor's SDK. It translates and decides nothing."""
