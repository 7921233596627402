import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readArchiveKey } from "../../src/config/archive-key.ts";
import { configSchema } from "../../src/config/schema.ts";
import { tempDir } from "../helpers/temp.ts";

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const config = (ledger: object) => configSchema.parse({ ledger });

function inFile(content: string | Buffer): { archiveKeyFile: string } {
  const archiveKeyFile = join(tempDir(), "archive.key");
  writeFileSync(archiveKeyFile, content);
  return { archiveKeyFile };
}

describe("the archive's key", () => {
  it("is none unless one is named", () => {
    expect(readArchiveKey(config({}))).toBeUndefined();
  });

  it.each([
    ["32 bytes in a file", () => inFile(KEY)],
    ["hexadecimal in a file", () => inFile(`${KEY.toString("hex")}\n`)],
    ["base64 in a file", () => inFile(`${KEY.toString("base64")}\n`)],
    ["a text", () => ({ archiveKey: KEY.toString("hex") })],
  ])("is read from %s", (_, ledger) => {
    expect(readArchiveKey(config(ledger()))).toEqual(KEY);
  });

  it.each([
    ["too short", () => inFile(KEY.subarray(1)), "is not 32 bytes"],
    ["no file", () => ({ archiveKeyFile: join(tempDir(), "gone") }), "ENOENT"],
    ["a password", () => ({ archiveKey: "swordfish" }), "ledger.archiveKey is not 32 bytes"],
  ])("is refused when it is %s, and never repeated", (_, ledger, says) => {
    expect(() => readArchiveKey(config(ledger()))).toThrow(says);
    expect(() => readArchiveKey(config(ledger()))).not.toThrow("swordfish");
  });
});
