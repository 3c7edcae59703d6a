"""The history of the database's tables; applied by the server itself when it starts."""
