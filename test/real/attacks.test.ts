/**
 * Whoever does harm does it to himself: a crowd of ordinary clients sends mail with and without an attacker beside it, in turns in one run, and
 * what it gets through is compared. Times on this machine say nothing; the ratio does.
 */
import { join } from "node:path";
import { setTimeout as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startNode } from "../helpers/process.ts";
import { startCrowd, startServing } from "../helpers/serving.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { HOUSE } from "../helpers/source.ts";

const ATTACKER = join(HOUSE, "test/helpers/attacker.ts");
const TURN_MS = 1_500;
const TURNS = 3;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** What five clients get through, with the attack beside them and without, in turns. */
async function besideAttack(kind: string) {
  const relay = await startServing({ workers: 1 });
  const crowd = startCrowd(relay.port, 5);
  const through = async (): Promise<number> => {
    const before = crowd.accepted.length;
    await turn(TURN_MS);
    return crowd.accepted.length - before;
  };
  await through();
  const [quiet, attacked]: [number[], number[]] = [[], []];
  for (let each = 0; each < TURNS; each += 1) {
    quiet.push(await through());
    const attacker = await startNode(ATTACKER, [kind, String(relay.port)]);
    await attacker.waitForLine(/at it/);
    attacked.push(await through());
    attacker.signal("SIGKILL");
    await attacker.exited;
  }
  await crowd.stop();
  const ratio = median(attacked) / median(quiet);
  console.log(`${kind}: ${quiet.join(" ")} mails a turn without, ${attacked.join(" ")} with: ${ratio.toFixed(2)}`);
  return { relay, crowd, ratio };
}

describe("ordinary clients keep their pace beside", () => {
  it.each([
    // Who only holds connections costs nothing but these.
    ["slow-loris", 0.5],
    ["byte-at-a-time", 0.5],
    ["half-open", 0.5],
    // Who makes the relay work is served in turn, as if there were that many more clients.
    ["flood", 0.4],
    ["pipelines", 0.4],
    ["odd-mails", 0.4],
  ])("%s", async (kind, least) => {
    const { relay, crowd, ratio } = await besideAttack(kind);
    expect([crowd.refused, crowd.broken], "none of them was refused or cut off").toEqual([[], 0]);
    expect(ratio).toBeGreaterThan(least);
    const after = await openSmtp(relay.port);
    expect(after.greeting).toMatch(/^220/);
    after.end();
  });
});
