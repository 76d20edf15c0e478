// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Reads each file as DuckDB reads it without being told anything, and prints its columns and rows as one line of JSON: a
// time as microseconds since 1970.
import { DuckDBInstance } from "@duckdb/node-api";

const database = await (await DuckDBInstance.create(":memory:")).connect();
for (const path of process.argv.slice(2)) {
  const file = `'${path.replaceAll("'", "''")}'`;
  const described = (await database.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`)).getRows();
  const columns = described.map(([name]) => name);
  const types = described.map(([, type]) => type);
  const cells = columns.map((name, i) =>
    types[i].startsWith("TIMESTAMP") ? `epoch_us("${name}")::DOUBLE` : /INT/.test(types[i]) ? `"${name}"::DOUBLE` : `"${name}"`);
  const rows = (await database.runAndReadAll(`SELECT ${cells.join(", ")} FROM ${file}`)).getRowsJson();
  console.log(JSON.stringify({ columns, types, rows }));
}
