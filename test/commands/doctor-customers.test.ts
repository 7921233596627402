import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { customerLines } from "../../src/commands/doctor/customers.ts";
import type { Ground } from "../../src/commands/ground.ts";
import { loadConfig } from "../../src/config/load.ts";
import { Unavailable } from "../../src/kit/trouble.ts";
import { clientOf } from "../helpers/described.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { tempDir } from "../helpers/temp.ts";

function groundWith(list: () => Promise<unknown>): Ground {
  const path = join(tempDir(), "c.yaml");
  writeFileSync(path, "hostname: relay.example.net\n");
  const registers = async () => ({ clients: { list } });
  return { ...loadConfig(path, {}), clock: handClock(Date.UTC(2026, 10, 22)), registers } as unknown as Ground;
}

it("names customers who lack what a law in force asks for, and what to do", async () => {
  const ground = groundWith(async () => [clientOf(), clientOf({ id: "isp", kind: "email-provider", licence: "B2" })]);
  expect(await customerLines(ground)).toEqual([
    {
      about: "client isp",
      verdict: "warn",
      found: "email-provider without registered addresses (Order 38 (CN 2006) art. 6)",
      advice: "consentry client address add isp NETWORK --authority WHO",
    },
  ]);
});

it("says nothing when the store is away: its own line does", async () => {
  expect(await customerLines(groundWith(() => Promise.reject(new Unavailable("store", "away"))))).toEqual([]);
});
