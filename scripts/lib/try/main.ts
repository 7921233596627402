/**
 * Plays the scenarios one after the other and prints, for each, the command, what was expected, what was heard, PASS or FAIL;
 * then what the ledger says of it all.
 */
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type NamedHouse, startNamedHouse } from "./named.ts";
import { type Options, readOptions } from "./options.ts";
import { type QueueingHouse, startQueueingHouse } from "./queueing-house.ts";
import type { Scenario } from "./scenario.ts";
import { scenariosFor } from "./scenarios.ts";
import { pasteable, swaks, type Talk } from "./swaks.ts";
import { createWorld, type World } from "./world.ts";

const HOUSE = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const RETRY_EVERY_MS = 500;

/** @returns the exit code */
async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), HOUSE);
  for (const address of [options.server, options.submission]) await expectListener(address);
  const world = createWorld(options, HOUSE);
  await world.prepare();
  const startedAt = new Date();
  let failed = 0;
  const scenarios = scenariosFor({
    redisStops: options.compose !== undefined,
    behindPostfix: options.compose?.profile === "milter",
  });
  const named = await startNamedHouse(HOUSE);
  const queueing = await startQueueingHouse(HOUSE);
  try {
    for (const [index, scenario] of scenarios.entries()) {
      if (!(await play(scenario, index + 1, { options, world, named, queueing }))) failed += 1;
    }
  } finally {
    await named.stop();
    await queueing.stop();
  }
  console.log(`What the ledger has of it:\n\n${await world.ledgerSince(startedAt)}`);
  const left = options.compose
    ? "what needs XCLIENT (only without --compose and --milter)"
    : "Redis stopped (only with --compose and --milter)";
  console.log(`Not played: ${left}.`);
  console.log(`${scenarios.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** Where scenarios are played. */
interface Places {
  readonly options: Options;
  readonly world: World;
  readonly named: NamedHouse;
  readonly queueing: QueueingHouse;
}

/** @returns whether it went as it must */
async function play(scenario: Scenario, number: number, { options, world, named, queueing }: Places): Promise<boolean> {
  await scenario.before?.(world);
  const own = { named: named.server, queue: queueing.server } as const;
  const { door } = scenario;
  const serverArgs = door === "named" || door === "queue" ? ["--server", own[door]] : doorArgs(scenario, options);
  if (scenario.after) await swaks([...serverArgs, ...scenario.after]);
  const subject = await scenario.subjectOf?.(world);
  const args = [...serverArgs, ...scenario.swaks, ...(subject === undefined ? [] : ["--h-Subject", subject])];
  const talk = await talkUntilExpected(scenario, args);
  const problem = isExpected(scenario, talk)
    ? ((await missing(scenario, talk, world)) ??
      (await unsaid(scenario, talk, world)) ??
      (await undone(scenario, talk, queueing)))
    : "another reply was expected";
  const word = problem === undefined ? "PASS" : "FAIL";
  console.log(`${String(number).padStart(2)} ${word}  ${scenario.title}`);
  console.log(`     ${pasteable(args)}`);
  console.log(`     expected: ${scenario.code} … ${scenario.says.trim()}${arrival(scenario)}`);
  console.log(`     heard:    ${talk.reply}`);
  if (problem !== undefined) console.log(`     problem:  ${problem}`);
  console.log();
  return problem === undefined;
}

function doorArgs({ door, login = "shop" }: Scenario, { server, submission, tls }: Options): string[] {
  if (door === "world") return ["--server", server];
  if (door === "clients-without-login") return ["--server", submission];
  return ["--server", submission, ...(tls ? ["--tls"] : []), "-a", "PLAIN", "-au", login, "-ap", "demo"];
}

async function talkUntilExpected(scenario: Scenario, args: readonly string[]): Promise<Talk> {
  const until = Date.now() + (scenario.patienceMs ?? 0);
  for (;;) {
    const talk = await swaks(args);
    if (isExpected(scenario, talk) || Date.now() >= until) return talk;
    await sleep(RETRY_EVERY_MS);
  }
}

const isExpected = ({ code, says }: Scenario, { reply }: Talk): boolean =>
  reply.startsWith(code) && reply.includes(says);

/** Why an accepted mail is not where it should be; undefined: it is, or nobody can look. */
async function missing({ arrivesFor }: Scenario, { messageId }: Talk, world: World): Promise<string | undefined> {
  if (arrivesFor === undefined) return undefined;
  if (messageId === undefined) return "swaks names no Message-Id";
  return (await world.arrived(arrivesFor, messageId)) === false
    ? `${messageId} is not in ${arrivesFor}'s mailbox`
    : undefined;
}

/** Why the ledger does not say what it should of a mail; undefined: it does. */
async function unsaid({ ledgerSays }: Scenario, { reply }: Talk, world: World): Promise<string | undefined> {
  if (ledgerSays === undefined) return undefined;
  const id = /\bid ([0-9A-Z]{20,})/.exec(reply)?.[1];
  if (id === undefined) return "the reply names no id";
  const entry = await world.ledgerOf(id);
  console.log(`     ledger:   ${entry.trim().split("\n")[0] ?? ""}`);
  return entry.includes(ledgerSays) ? undefined : `the ledger does not say "${ledgerSays}" of it`;
}

/** Why what must follow did not; undefined: it did. */
async function undone(
  { follows }: Scenario,
  { reply, messageId }: Talk,
  house: QueueingHouse,
): Promise<string | undefined> {
  const id = /\bid ([0-9A-Z]{20,})/.exec(reply)?.[1];
  if (!follows) return undefined;
  return id === undefined || messageId === undefined ? "the mail has no id" : follows(house, { id, messageId });
}

const arrival = ({ arrivesFor }: Scenario): string =>
  arrivesFor === undefined ? "" : `, and the mail in ${arrivesFor}'s mailbox`;

/** @throws Error when nobody listens there */
async function expectListener(address: string): Promise<void> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port: Number(address.slice(colon + 1)), timeout: 5_000 });
    const fail = (): void => {
      socket.destroy();
      reject(new Error(`nobody listens on ${address}: ./scripts/start, or docker compose up -d --build --wait`));
    };
    socket.once("error", fail);
    socket.once("timeout", fail);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(`try: ${(error as Error).message}`);
    process.exitCode = 2;
  },
);
