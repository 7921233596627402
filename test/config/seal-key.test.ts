import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { readSealKey } from "../../src/config/seal-key.ts";
import { Misuse } from "../../src/kit/trouble.ts";
import { tempDir } from "../helpers/temp.ts";

const settings = (dataDir: string, ledger: object = {}) => configSchema.parse({ dataDir, ledger });
const pemOf = (type: "ed25519" | "x25519"): string =>
  generateKeyPairSync(type as "ed25519")
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();

describe("the key that signs the ledger", () => {
  it("is made once in dataDir, for its owner's eyes only", () => {
    const dataDir = join(tempDir(), "not there yet");
    const made = readSealKey(settings(dataDir));
    expect(readSealKey(settings(dataDir))).toBe(made);
    expect(statSync(join(dataDir, "seal-key.pem")).mode & 0o777).toBe(0o600);
    expect(readSealKey(settings(tempDir()))).not.toBe(made);
  });

  it("comes from a file or a text where one is given, and then none is made", () => {
    const dataDir = tempDir();
    const pem = pemOf("ed25519");
    const sealKeyFile = join(tempDir(), "key.pem");
    writeFileSync(sealKeyFile, pem);
    expect(readSealKey(settings(dataDir, { sealKeyFile }))).toBe(pem);
    expect(readSealKey(settings(dataDir, { sealKey: pem.replaceAll("\n", "\\n") }))).toBe(pem);
    expect(existsSync(join(dataDir, "seal-key.pem"))).toBe(false);
  });

  it.each<[string, object]>([
    ["of another kind", { sealKey: pemOf("x25519") }],
    ["that is none", { sealKey: "certainly-no-key" }],
    ["in a file that is not there", { sealKeyFile: "no/such/file" }],
  ])("%s is a misuse that does not repeat it", (_, ledger) => {
    const read = () => readSealKey(settings(tempDir(), ledger));
    expect(read).toThrow(Misuse);
    expect(read).toThrow(/^(?!.*(PRIVATE|certainly)).*seal key/s);
  });

  it("in dataDir that was damaged is not replaced", () => {
    const dataDir = tempDir();
    writeFileSync(join(dataDir, "seal-key.pem"), "damaged");
    expect(() => readSealKey(settings(dataDir))).toThrow(Misuse);
    expect(readFileSync(join(dataDir, "seal-key.pem"), "utf8")).toBe("damaged");
  });
});
