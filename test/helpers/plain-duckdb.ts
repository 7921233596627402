/** `duckdb -csv -c SQL` where there is no such program: the same engine, with nothing of consentry in it. */
import { DuckDBInstance } from "@duckdb/node-api";

const sql = process.argv[process.argv.indexOf("-c") + 1] ?? "";
const connection = await (await DuckDBInstance.create(":memory:")).connect();
const result = await connection.runAndReadAll(sql);
console.log(result.columnNames().join(","));
for (const row of result.getRowsJson()) console.log(row.join(","));
