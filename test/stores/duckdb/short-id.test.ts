import { describe, expect, it } from "vitest";
import { createIds, idTimeMs } from "../../../src/kit/ids.ts";
import { openDatabase } from "../../../src/stores/duckdb/database.ts";
import { fullId, shortId } from "../../../src/stores/duckdb/short-id.ts";
import { tempDir } from "../../helpers/temp.ts";

const ids = createIds({ now: () => 1_700_000_000_000 }, Buffer.alloc(32, 3));
const plain = ids.next();
const sealed = ids.sealed();

const CASES = [plain, sealed, ids.next(), "any id", "", "=5", "12.ABCDE.7", "12.ABCDE.7.WXYZ", plain.toLowerCase()];

describe("a short id", () => {
  it.each(CASES)("of %j is read back as it was, whatever the time beside it", async (id) => {
    for (const lag of [0, 17, -3_600_000, 86_400_000]) {
      const at = 1_700_000_000_000 + lag;
      expect(fullId(shortId(id, at), at)).toBe(id);
    }
  });

  it("is the time since, the run, the count and the seal", () => {
    expect(shortId(plain, idTimeMs(plain) + 12)).toBe(`12.${plain.slice(10, 15)}.0`);
    expect(shortId(sealed, idTimeMs(sealed))).toBe(`0.${sealed.slice(10, 15)}.1.${sealed.slice(19)}`);
  });

  it("is read by the macro as we read it", async () => {
    const database = await openDatabase({ tempDir: tempDir(), memoryMb: 100, threads: 1 });
    const at = 1_700_000_000_123;
    for (const id of CASES) {
      expect(await database.rows("SELECT ledger_id($1, $2)", [shortId(id, at), BigInt(at)])).toEqual([[id]]);
    }
    await database.close();
  });
});
