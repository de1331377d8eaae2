"""A way into the connection that a SQLite store works with."""

import sqlite3


class Reached(sqlite3.Connection):
    """A connection that a test reaches into; what it asks for is done in the store's thread."""

    pragmas = ()
    broken = False

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.statements = []

    def execute(self, *arguments):
        """Do what the test wants, then execute."""
        self.statements.append(arguments[0])
        pragmas, self.pragmas = self.pragmas, ()
        for pragma in pragmas:
            super().execute(pragma)
        if self.broken:
            raise MemoryError
        return super().execute(*arguments)


class Driver:
    """Opens connections as the store does, and keeps the last one for the test."""

    def __init__(self, *pragmas):
        self.pragmas = pragmas
        self.connection = None

    def __call__(self, path):
        """Connect, and have what the test wants set first."""
        self.connection = sqlite3.connect(path, isolation_level=None, factory=Reached)
        self.connection.pragmas = self.pragmas
        return self.connection
