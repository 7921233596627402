import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { codeLines } from "../../src/commands/doctor/codes.ts";
import type { Ground } from "../../src/commands/ground.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { createCodeRegister } from "../../src/registers/codes.ts";
import { createMemoryTables } from "../../src/stores/memory/tables.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { tempDir } from "../helpers/temp.ts";

const DAY = 86_400_000;

function groundWith(yaml: string) {
  const path = join(tempDir(), "c.yaml");
  writeFileSync(path, yaml);
  const clock = handClock(Date.UTC(2026, 0, 1));
  const codes = createCodeRegister(createMemoryTables(), clock);
  const issue = (code: string, days: number) =>
    codes.issue(
      { code, holder: "shop", issuedAtMs: clock.now(), expiresAtMs: clock.now() + days * DAY, published: true },
      { validYears: 3, renewDaysBefore: 30 },
    );
  const ground = { ...loadConfig(path, {}), clock, registers: async () => ({ codes }) } as unknown as Ground;
  return { ground, issue };
}

it("names codes that end soon, and what can still be done", async () => {
  const { ground, issue } = groundWith("hostname: relay.example.net\n");
  await issue("AAA1", 10);
  await issue("BBB1", 45);
  await issue("CCC1", 400);
  expect(await codeLines(ground)).toEqual([
    {
      about: "code AAA1",
      verdict: "warn",
      found: "of shop, ends 2026-01-11",
      advice: "it is too late to renew it: register a new one",
    },
    {
      about: "code BBB1",
      verdict: "warn",
      found: "of shop, ends 2026-02-15",
      advice: "consentry code renew BBB1, 30 days before at the latest",
    },
  ]);
});

it("says nothing where no law in force knows codes, or the store is away", async () => {
  const { ground, issue } = groundWith("packs: { default: [cn-2006] }\n");
  await issue("AAA1", 10);
  expect(await codeLines(ground)).toEqual([]);
  const away = {
    ...groundWith("hostname: a.example\n").ground,
    registers: () => Promise.reject(new Unavailable("store", "away")),
  };
  expect(await codeLines(away)).toEqual([]);
});
