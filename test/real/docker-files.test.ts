/** What docker-compose.yml runs, as far as it can be seen without Docker. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { docLines } from "../helpers/doc-blocks.ts";
import { startMilterService } from "../helpers/milter-door.ts";
import { tempDir } from "../helpers/temp.ts";

const DOCKER = join(import.meta.dirname, "../../docker");
const HEALTHCHECK = join(DOCKER, "healthcheck-milter");

/** Exit code of the milter's health check. */
const health = (socket: string): Promise<number> =>
  promisify(execFile)(process.execPath, [HEALTHCHECK, socket]).then(
    () => 0,
    (error: { code: number }) => error.code,
  );

describe("the images", () => {
  it.each(["consentry.yaml", "milter.yaml"])("have a configuration that fits: %s", (file) => {
    expect(loadConfig(join(DOCKER, file), {}).config.localDomains).toEqual(["example.com"]);
  });

  it("have a Postfix in front with the settings that docs/postfix.md gives", () => {
    const front = readFileSync(join(DOCKER, "postfix/front.cf"), "utf8").split("\n");
    const asked = docLines("postfix.md", { section: "As a milter", file: "main.cf" });
    const leftOut = asked.filter((line) => !front.includes(line));
    expect(leftOut).toEqual(["smtpd_milter_maps = inline:{ { 192.0.2.99 = DISABLE } }"]);
    const submission = docLines("postfix.md", { section: "As a milter", file: "master.cf" });
    expect(readFileSync(join(DOCKER, "postfix/front-master.cf"), "utf8").trimEnd().split("\n")).toEqual(submission);
  });

  it("find a milter well when it answers as one, and only then", async () => {
    const service = await startMilterService();
    expect(await health(service.path)).toBe(0);
    await service.close();
    expect(await health(service.path)).toBe(1);
    expect(await health(join(tempDir(), "nobody"))).toBe(1);
  });
});
