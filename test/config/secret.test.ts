import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSecret } from "../../src/config/secret.ts";
import { Misuse } from "../../src/kit/trouble.ts";
import { startNode } from "../helpers/process.ts";
import { tempDir } from "../helpers/temp.ts";

describe("the site's secret", () => {
  it("is made once in dataDir, for its owner's eyes only, and read from then on", () => {
    const dataDir = join(tempDir(), "not", "there", "yet");
    const made = readSecret({ dataDir });
    expect(made).toHaveLength(32);
    expect(readSecret({ dataDir })).toEqual(made);
    expect(statSync(join(dataDir, "secret")).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it("is another one for another site", () => {
    expect(readSecret({ dataDir: tempDir() })).not.toEqual(readSecret({ dataDir: tempDir() }));
  });

  it("comes from secretFile where there is one, byte for byte, and nothing is made", () => {
    const dataDir = tempDir();
    const secretFile = join(tempDir(), "shared");
    writeFileSync(secretFile, "shared by all nodes\n");
    expect(readSecret({ dataDir, secretFile }).toString()).toBe("shared by all nodes\n");
    expect(() => readFileSync(join(dataDir, "secret"))).toThrow(/ENOENT/);
  });

  it.each([
    ["that is missing", undefined, /cannot read the secret .*missing/],
    ["that is too short", "only fifteen by", /shorter than 16 bytes/],
    ["that is empty", "", /shorter than 16 bytes/],
  ])("%s is a misuse and no excuse for a new one", (_, text, complaint) => {
    const secretFile = join(tempDir(), "missing");
    if (text !== undefined) writeFileSync(secretFile, text);
    const read = () => readSecret({ dataDir: tempDir(), secretFile });
    expect(read).toThrow(Misuse);
    expect(read).toThrow(complaint);
    if (text) expect(read, "it is not shown").not.toThrow(text);
  });

  it("is one for processes that start together", async () => {
    const dataDir = tempDir();
    const script = join(tempDir(), "read.mjs");
    const url = new URL("../../src/config/secret.ts", import.meta.url).href;
    const shown = "process.stdout.write(readSecret({ dataDir: process.argv[2] }).toString('hex') + '\\n');";
    writeFileSync(script, `import { readSecret } from ${JSON.stringify(url)};\n${shown}\n`);
    const programs = await Promise.all(Array.from({ length: 4 }, () => startNode(script, [dataDir])));
    const read = await Promise.all(programs.map((program) => program.waitForLine(/^[0-9a-f]{64}$/)));
    expect(new Set(read).size).toBe(1);
    expect(read[0]).toBe(readSecret({ dataDir }).toString("hex"));
  });
});
