"""A toy database of customers and orders, in memory."""

import sqlite3
from contextlib import closing
from typing import Literal, TypedDict

CUSTOMERS = (
    ("C-1", "Ada Lovelace", "ada@example.com", "London"),
    ("C-2", "Alan Turing", "alan@example.com", "Manchester"),
    ("C-3", "Grace Hopper", "grace@example.com", "New York"),
    ("C-4", "Katherine Johnson", "katherine@example.com", "Hampton"),
)
ORDERS = (
    ("A-1001", "C-1", "Analytical engine, used", "shipped", 1200.0),
    ("A-1002", "C-2", "Paper tape, endless", "processing", 19.9),
    ("A-1003", "C-3", "Moth, framed", "delivered", 47.0),
    ("A-1004", "C-3", "Nanosecond of wire", "returned", 0.3),
)


class Customer(TypedDict):
    """A customer and the numbers of their orders."""

    id: str
    name: str
    email: str
    city: str
    orders: list[str]


class Order(TypedDict):
    """An order."""

    id: str
    customer_id: str
    item: str
    status: Literal["processing", "shipped", "delivered", "returned"]
    total_usd: float


def connect() -> sqlite3.Connection:
    """A fresh database with everything in it."""
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.execute("CREATE TABLE customers (id, name, email, city)")
    database.execute("CREATE TABLE orders (id, customer_id, item, status, total_usd)")
    database.executemany("INSERT INTO customers VALUES (?, ?, ?, ?)", CUSTOMERS)
    database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?)", ORDERS)
    return database


def search_customers(query: str) -> list[Customer]:
    """Search customers by parts of their name, e-mail address or city.

    Args:
        query: words, such as "ada" or "new york"; every one of them must be found.
    """
    with closing(connect()) as database:
        rows = database.execute("SELECT * FROM customers ORDER BY id").fetchall()
        return [
            Customer(**row, orders=order_numbers(database, row["id"]))
            for row in map(dict, rows)
            if all(word in " ".join(row.values()).casefold() for word in query.casefold().split())
        ]


def order_numbers(database: sqlite3.Connection, customer_id: str) -> list[str]:
    """The numbers of a customer's orders."""
    rows = database.execute("SELECT id FROM orders WHERE customer_id = ?", (customer_id,))
    return [row["id"] for row in rows]


def get_order(order_id: str) -> Order | None:
    """Look up an order by its number; null where there is none of that number.

    Args:
        order_id: such as A-1001.
    """
    query = "SELECT * FROM orders WHERE id = ?"
    with closing(connect()) as database:
        row = database.execute(query, (order_id.strip().upper(),)).fetchone()
    return None if row is None else Order(**row)


TOOL_MAP = {"search_customers": search_customers, "get_order": get_order}
