/** What consentry encrypts, opened with age itself. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { encrypt, readRecipient } from "../../src/kit/age.ts";
import { collect } from "../contract/tables.ts";
import { installed } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

describe.skipIf(!installed("age"))("age (skipped without the program)", () => {
  const dir = tempDir();
  const keys = ["one", "two"].map((name) => {
    const path = join(dir, name);
    execFileSync("age-keygen", ["-o", path], { stdio: "ignore", timeout: 10_000 });
    return { path, recipient: readRecipient(/public key: (\S+)/.exec(readFileSync(path, "utf8"))?.[1] ?? "") };
  });
  const recipients = keys.flatMap(({ recipient }) => recipient ?? []);

  it("has keys that are read", () => {
    expect(recipients).toHaveLength(2);
  });

  it.each([0, 1, 65_535, 65_536, 65_537, 131_072, 300_001])(
    "opens a file of %i bytes for each recipient",
    async (size) => {
      const bytes = randomBytes(size);
      const path = join(dir, `${size}.age`);
      writeFileSync(path, Buffer.concat(await collect(encrypt(inPieces(bytes, 10_000), recipients))));
      for (const key of keys) {
        const opened = execFileSync("age", ["-d", "-i", key.path, path], { timeout: 10_000, maxBuffer: 1e6 });
        expect(opened.equals(bytes)).toBe(true);
      }
    },
  );

  it("refuses a file that was changed", async () => {
    const path = join(dir, "changed.age");
    const bytes = Buffer.concat(await collect(encrypt(inPieces(randomBytes(1_000), 100), recipients)));
    bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
    writeFileSync(path, bytes);
    expect(() =>
      execFileSync("age", ["-d", "-i", keys[0]?.path ?? "", path], { stdio: "ignore", timeout: 10_000 }),
    ).toThrow();
  });
});
