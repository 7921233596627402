import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  anchorLine,
  digestOf,
  isSigned,
  type ReadSeal,
  readAnchors,
  readSeal,
  type Seal,
  sealKeyOf,
  writeSeal,
} from "../../src/ledger/seal.ts";

const pemOf = (type: "ed25519" | "x25519"): string =>
  generateKeyPairSync(type as "ed25519")
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
const key = sealKeyOf(pemOf("ed25519"));
const seal: Seal = {
  schema: 1,
  node: "relay-1",
  date: "2026-11-22",
  volume: "day",
  seq: 3,
  previous: "0".repeat(64),
  sealedAt: "2026-11-23T01:00:00.000Z",
  entries: 2,
  files: [{ name: "day.parquet", bytes: 10, sha256: "1".repeat(64) }],
  rows: "2".repeat(64),
  counts: [{ event: "received", verdict: "accept", entries: 2 }],
  replaces: ["07.parquet"],
  taken: { "2026-11-22T07-a": 10 },
  removed: [],
  key: key.fingerprint,
};
const text = writeSeal(seal, key);
const read = readSeal(text) as ReadSeal;

describe("a seal", () => {
  it("is read as it was written, with the digest of its record", () => {
    expect(read.seal).toEqual(seal);
    expect(read.digest).toBe(digestOf(text.split("\n")[0] as string));
  });

  it("is signed with its key and no other", () => {
    expect(isSigned(read, key.publicPem)).toBe(true);
    expect(isSigned(read, sealKeyOf(pemOf("ed25519")).publicPem)).toBe(false);
  });

  it("is broken by any one byte of its record or signature that is another", () => {
    const unbroken = [...text.trimEnd()].flatMap((char, at) => {
      if (char === "\n") return [];
      const other = char === "7" ? "8" : "7";
      const changed = readSeal(text.slice(0, at) + other + text.slice(at + 1));
      return changed && isSigned(changed, key.publicPem) ? [at] : [];
    });
    expect(unbroken).toEqual([]);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "seal\nx"],
    ["another document", '{"date":"2026-11-22"}\nx'],
    ["null", "null\n"],
  ])("is not %s", (_, other) => {
    expect(readSeal(other)).toBeUndefined();
  });

  it("needs an Ed25519 key, and a public key that is one", () => {
    expect(() => sealKeyOf(pemOf("x25519"))).toThrow("an Ed25519 key is needed");
    expect(isSigned(read, "no key")).toBe(false);
  });
});

describe("an anchor", () => {
  it("is one line that is found again among the lines of a syslog", () => {
    const line = anchorLine(read);
    expect(line).not.toContain("\n");
    const log = `Nov 23 01:00:00 relay consentry[7]: ${line}\nsomething else\n${line.replace("seq=3", "seq=x")}\n`;
    expect(readAnchors(log)).toEqual([{ node: "relay-1", seq: 3, date: "2026-11-22", digest: read.digest }]);
  });
});
