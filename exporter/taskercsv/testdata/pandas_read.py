# Reads each file with read_csv alone, and prints its columns and rows as one line of JSON: a time as microseconds since 1970.
import json
import sys

import pandas

for path in sys.argv[1:]:
    table = pandas.read_csv(path)
    types = [str(table[column].dtype) for column in table.columns]
    for column in table.columns.intersection(["timestamp", "start", "end"]):
        types[table.columns.get_loc(column)] = "time"
        table[column] = pandas.to_datetime(table[column]).astype("int64") // 1000
    rows = [[None if pandas.isna(cell) else getattr(cell, "item", lambda: cell)() for cell in row]
            for row in table.itertuples(index=False, name=None)]
    print(json.dumps({"columns": list(table.columns), "types": types, "rows": rows}))
