"""One module a revision, frozen once released: a sentence, ``REVISES`` and ``upgrade(document)``.

Schema version 1 is the first, so there is none yet.
"""
