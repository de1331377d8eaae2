"""What the assistant is told."""

INSTRUCTIONS = """
You help customers of Acme.
Be brief.
""".strip()
