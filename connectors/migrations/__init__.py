"""The steps that bring a database to the form this version needs; Alembic runs them when a database is opened."""
