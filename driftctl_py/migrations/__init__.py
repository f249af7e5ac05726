"""The store's schema, step by step: what Alembic runs, inside the package so that a wheel has it.

Not imported by anything of ours: `adapters/store` hands this directory to Alembic, with a
connection that is in a transaction already.
"""
