import { describe, expect, it } from "vitest";
import { openDatabase } from "../../../src/stores/duckdb/database.ts";
import { tempDir } from "../../helpers/temp.ts";

const open = () => openDatabase({ tempDir: tempDir(), memoryMb: 256, threads: 4 });

async function countOf(rows: AsyncIterable<readonly unknown[]>): Promise<number> {
  let count = 0;
  for await (const some of rows) count += some.length;
  return count;
}

const threadsOf = async (database: Awaited<ReturnType<typeof open>>): Promise<unknown> =>
  (await database.rows("SELECT current_setting('threads')::INTEGER"))[0]?.[0];

describe("rows that DuckDB streams", () => {
  it("come to the end", async () => {
    const database = await open();
    expect(await countOf(database.stream("SELECT i FROM range(150000) t(i) ORDER BY i DESC"))).toBe(150_000);
    expect(await countOf(database.stream("SELECT i FROM range(9) t(i) WHERE i > ?", [6]))).toBe(2);
    expect(await countOf(database.stream("SELECT 1 WHERE false"))).toBe(0);
    await database.close();
  });

  it("are not taken for all when the last ones failed", async () => {
    const database = await open();
    const failing = "SELECT CASE WHEN i = 300000 THEN error('broken') ELSE i END FROM range(400000) t(i)";
    await expect(countOf(database.stream(failing))).rejects.toThrow(/before the end|broken/);
    await database.close();
  });

  it("are all there when there is memory to sort them on one thread only", async () => {
    const database = await openDatabase({ tempDir: tempDir(), memoryMb: 80, threads: 4 });
    const wide = "SELECT i, repeat(md5(i::VARCHAR), 6), repeat(md5((i + 1)::VARCHAR), 4) FROM range(200000) t(i)";
    expect(await countOf(database.stream(`${wide} ORDER BY hash(i)`))).toBe(200_000);
    await database.close();
  });

  it("are sorted on one thread when they are many, and on all again afterwards, even when nobody reads on", async () => {
    const database = await open();
    const few = database.stream("SELECT i FROM range(1000) t(i) ORDER BY i");
    await few.next();
    expect(await threadsOf(database)).toBe(4);
    await few.return(undefined);
    const many = database.stream("SELECT i FROM range(200000) t(i) ORDER BY i");
    await many.next();
    expect(await threadsOf(database)).toBe(1);
    await many.return(undefined);
    expect(await threadsOf(database)).toBe(4);
    const failed = database.sorting(200_000, () => Promise.reject(new Error("no")));
    await expect(failed).rejects.toThrow("no");
    expect(await threadsOf(database)).toBe(4);
    await database.close();
  });
});
