import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { openUnpacker } from "../../../../src/stores/duckdb/parquet/unpack.ts";

const SOURCE = new URL("../../../../src/stores/duckdb/parquet/unpack.ts", import.meta.url);

describe("opening the unpacker", () => {
  it("leaves fetch to everybody else as it was", async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, "fetch");
    const opening = openUnpacker();
    expect(Object.getOwnPropertyDescriptor(globalThis, "fetch")).toEqual(before);
    await opening;
  });

  it("does not make Node load an HTTP client", () => {
    const script = `const { openUnpacker } = await import(${JSON.stringify(SOURCE.href)});
      await openUnpacker();
      console.log(process.moduleLoadList.some((name) => name.endsWith("undici/undici")), typeof fetch);`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect(printed.trim()).toBe("false function");
  });
});
