"""Copies one table from a DuckDB file into Postgres by DuckDB's own postgres extension: duckdb_extension.py FILE TABLE URL.

Prints the seconds that the copy took, connecting not counted. The extension is the one that PyPI has for this version of DuckDB.
"""

import glob
import os
import sys
import time

import duckdb
import duckdb_extension_postgres_scanner as extension

file, table, url = sys.argv[1:]
connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
pattern = os.path.join(os.path.dirname(extension.__file__), "extensions", "*", "*.duckdb_extension")
connection.execute(f"LOAD '{glob.glob(pattern)[0]}'")
connection.execute(f"ATTACH '{file}' AS source (READ_ONLY)")
connection.execute(f"ATTACH '{url}' AS target (TYPE postgres)")
begun = time.monotonic()
connection.execute(f'CREATE TABLE target."{table}" AS SELECT * FROM source."{table}"')
print(f"{time.monotonic() - begun:.2f}")
