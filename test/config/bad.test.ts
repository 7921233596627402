import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { configProblems } from "../../src/commands/config-problems.ts";
import { loadConfig } from "../../src/config/load.ts";
import { tempDir } from "../helpers/temp.ts";

const BAD = fileURLToPath(new URL("bad", import.meta.url));

/** Each directory holds a configuration and what is said of it, to the letter. */
describe("a configuration that is wrong", () => {
  it.each(readdirSync(BAD))("is told %s", (name) => {
    const dir = join(BAD, name);
    const complaints = configProblems(join(dir, "config.yaml"), {}).map((text) => text.replaceAll(`${dir}/`, ""));
    expect(complaints).toEqual(readFileSync(join(dir, "expected.txt"), "utf8").trimEnd().split("\n"));
    expect(complaints.length).toBeGreaterThan(0);
  });

  it("never shows a password that stands in it", () => {
    const shown = readdirSync(BAD).flatMap((name) => configProblems(join(BAD, name, "config.yaml"), {}));
    expect(shown.filter((text) => /ge\/?heim|auch/.test(text))).toEqual([]);
  });

  it("says so when it is not there", () => {
    expect(() => loadConfig("nowhere/consentry.yaml", {})).toThrow(
      "cannot read the configuration nowhere/consentry.yaml: ENOENT",
    );
  });

  it("is no longer wrong once the environment has what it asks for", () => {
    const path = join(BAD, "a-variable-that-is-not-set", "config.yaml");
    const env = { REDIS_PASSWORD: "x", NEXT_HOP: "smtp://127.0.0.1:25" };
    expect(configProblems(path, env)).toEqual([]);
    expect(loadConfig(path, env).config.store.url).toBe("redis://relay:x@redis.example");
  });

  it("is told by a key and certificate that do not belong together", () => {
    const dir = tempDir();
    for (const name of ["cert.pem", "key.pem"]) writeFileSync(join(dir, name), "no PEM at all\n");
    const path = join(dir, "config.yaml");
    writeFileSync(path, `hostname: a.example\ntls:\n  certFile: ${dir}/cert.pem\n  keyFile: ${dir}/key.pem\n`);
    const [problem, ...rest] = configProblems(path, {});
    expect(rest).toEqual([]);
    expect(problem).toContain("config.yaml:3: tls: certFile and keyFile do not make a certificate: ");
  });
});
