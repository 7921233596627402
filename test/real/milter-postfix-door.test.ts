/** The milter door inside a real Postfix: killed under load, and asked about mail that consentry has judged already. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { buildHouse, type House } from "../../src/house.ts";
import { createLog } from "../../src/kit/log.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import { letter } from "../helpers/letters-now.ts";
import { startMilterService } from "../helpers/milter-door.ts";
import { type Postfix, postfixIsHere, startPostfix } from "../helpers/postfix.ts";
import { type Program, startNode } from "../helpers/process.ts";
import { openSmtp, type SmtpDialogue } from "../helpers/smtp-dialogue.ts";
import { openTalk } from "../helpers/smtp-talk.ts";
import { tempDir } from "../helpers/temp.ts";
import { until } from "../helpers/wait.ts";

const ENTRY = join(import.meta.dirname, "../../src/commands/index.ts");
const MAILS = 2_000;
const SESSIONS = 10;
const KILLS = 20;
const TRIES_MAX = 2_000;
/** Before a client that was told to come back does so. */
const RETRY_MS = 20;

const SHOP = {
  id: "shop",
  kind: "advertiser",
  domains: ["shop.example"],
  networks: ["198.51.100.0/24"],
  disabled: false,
} as const;

/** A directory whose sockets Postfix may use, as docs/postfix.md has it. */
function socketDir(): string {
  const dir = join(tempDir(), "socket");
  mkdirSync(dir);
  chownSync(dir, 0, Number(execFileSync("id", ["-g", "postfix"])));
  chmodSync(join(dir, ".."), 0o755);
  chmodSync(dir, 0o2755);
  return dir;
}

async function postfixAsking(dir: string, mainCf: readonly string[] = []): Promise<Postfix> {
  const postfix = await startPostfix({
    domain: "example.com",
    users: ["ann"],
    mainCf: [
      `smtpd_milters = { unix:${join(dir, "milter.sock")}, default_action=tempfail }`,
      "enable_long_queue_ids = yes",
      "in_flow_delay = 0",
      "smtpd_error_sleep_time = 0",
      "smtpd_soft_error_limit = 1000",
      "smtpd_hard_error_limit = 1000",
      ...mainCf,
    ],
  });
  onTestFinished(postfix.stop);
  return postfix;
}

/** Runs a configuration's house without doors: what `serve` is to find there, and what it has left. */
async function inHouse<T>(config: string, work: (house: House) => Promise<T>): Promise<T> {
  const house = await buildHouse(loadConfig(config, {}), createLog("silent"));
  try {
    return await work(house);
  } finally {
    await house.close();
  }
}

async function allEntries(house: House): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const entry of house.journal.find({})) found.push(entry);
  return found;
}

describe.skipIf(!postfixIsHere())("the milter door inside Postfix (skipped without postfix, or not as root)", () => {
  it(`loses no mail and lets none pass unjudged while it is killed and restarted ${KILLS} times under load`, async () => {
    const dir = socketDir();
    const postfix = await postfixAsking(dir);
    const config = join(dir, "../consentry.yaml");
    const lines = [
      "hostname: relay.example.net",
      `listeners: [{ door: milter, listen: "unix:${join(dir, "milter.sock")}" }]`,
      "localDomains: [example.com]",
      `dataDir: ${join(dir, "../data")}`,
      "log: { format: json }",
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    await inHouse(config, async ({ clients, consents }) => {
      await clients.save(SHOP);
      await consents.grant({
        recipient: "ann@example.com",
        advertiser: "shop",
        topics: [],
        proof: { how: "paper" },
      });
    });
    const load = createLoad(postfix.port);
    let program = await serve(config);
    const sent = load.run();
    for (let kill = 1; kill <= KILLS; kill += 1) {
      await until("more mails are through", () => load.settled() >= (kill * MAILS) / (KILLS + 1), 60_000);
      program.signal("SIGKILL");
      await program.exited;
      program = await serve(config);
    }
    await sent;
    const mails = (await postfix.delivered("ann", load.accepted.size, 30_000)).map(String);
    await program.stop();
    const entries = await inHouse(config, allEntries);

    const arrived = mails.map((mail) => /^X-Id: (.*)$/m.exec(mail)?.[1] ?? "");
    const queueIds = mails.map((mail) => /\(Postfix\) with ESMTP id (\S+?);?\s/.exec(mail)?.[1] ?? "");
    const judged = new Set(entries.filter(({ event }) => event === "received").map(({ queueId }) => queueId));
    const counts = {
      mails: MAILS,
      kills: KILLS,
      accepted: load.accepted.size,
      refused: load.refused.size,
      putOff: load.putOff(),
      arrived: arrived.length,
      lost: [...load.accepted].filter((id) => !arrived.includes(id)).length,
      unjudged: queueIds.filter((id) => !judged.has(id)).length,
      forbiddenButArrived: arrived.filter((id) => id.startsWith("forbidden")).length,
      judgedButNeverAnswered: judged.size - arrived.length,
    };
    process.stdout.write(`\nkilled under load: ${JSON.stringify(counts)}\n`);
    expect(new Set(arrived)).toEqual(load.accepted);
    expect(counts).toMatchObject({ lost: 0, unjudged: 0, forbiddenButArrived: 0, arrived: load.accepted.size });
    expect([...load.refused].every((id) => id.startsWith("forbidden"))).toBe(true);
    expect(load.accepted.size + load.refused.size).toBe(MAILS);
    expect(load.putOff(), "the kills were felt").toBeGreaterThan(0);
  });

  it("judges once what its own SMTP door hands to that Postfix, and the record of the mail goes on", async () => {
    const dir = socketDir();
    const postfix = await postfixAsking(dir);
    const service = await startMilterService(
      {
        listeners: [
          { door: "milter", listen: `unix:${join(dir, "milter.sock")}` },
          { door: "smtp", listen: "127.0.0.1:0" },
        ],
        nextHop: { to: `smtp://127.0.0.1:${postfix.port}` },
      },
      dir,
    );
    const talk = await openTalk(service.ports[1] ?? 0);
    await talk.sayAll("EHLO proxy.example.net", "XCLIENT ADDR=203.0.113.9", "EHLO mx.sender.example");
    await talk.sayAll("MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "DATA");
    expect((await talk.data(letter())).text).toMatch(/^250 2\.0\.0 .*queued as /);
    expect(String((await postfix.delivered("ann", 1))[0])).toContain("Subject: minutes");
    const entries = await service.entriesSoon(4);
    expect(new Set(entries.map(({ mailId }) => mailId)).size).toBe(1);
    expect(entries.map(({ door, event }) => `${door} ${event}`).sort()).toEqual([
      "milter handed-over",
      "milter received",
      "smtp handed-over",
      "smtp received",
    ]);

    const local = await openTalk(postfix.port);
    await local.sayAll("EHLO relay.example.net", "MAIL FROM:<bob@sender.example>", "RCPT TO:<ann@example.com>", "DATA");
    expect((await local.data(letter())).text, "not ours, only by its greeting").toMatch(/^550-5\.7\.1 HELO claims/);
  });
});

async function serve(config: string): Promise<Program> {
  const program = await startNode(ENTRY, ["serve", "--config", config]);
  await program.waitForLine(/"listening"/, 30_000);
  return program;
}

/** Mails over several sessions at a time, each tried until somebody says yes or no for good. */
function createLoad(port: number) {
  const accepted = new Set<string>();
  const refused = new Set<string>();
  let putOff = 0;
  const settled = () => accepted.size + refused.size;

  async function session(number: number): Promise<void> {
    const forbidden = number % 5 === 0;
    let dialogue: SmtpDialogue | undefined;
    for (let i = 0; i < MAILS / SESSIONS; i += 1) {
      const id = `${forbidden ? "forbidden" : "fine"}-${number}-${i}`;
      for (let tries = 0; !accepted.has(id) && !refused.has(id); tries += 1) {
        if (tries > TRIES_MAX) throw new Error(`${id} is put off for ever`);
        dialogue ??= await greeted(port, forbidden);
        const answer = await tell(dialogue, id, forbidden);
        if (answer.startsWith("2")) accepted.add(id);
        else if (answer.startsWith("5")) refused.add(id);
        else {
          putOff += 1;
          dialogue.end();
          dialogue = undefined;
          await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        }
      }
    }
    dialogue?.end();
  }
  const run = async (): Promise<void> => {
    await Promise.all(Array.from({ length: SESSIONS }, (_, number) => session(number)));
  };
  return { accepted, refused, putOff: () => putOff, settled, run };
}

async function greeted(port: number, shop: boolean): Promise<SmtpDialogue> {
  const dialogue = await openSmtp(port);
  await dialogue.say("EHLO test.example");
  await dialogue.say(`XCLIENT NAME=[UNAVAILABLE] ADDR=${shop ? "198.51.100.7" : "203.0.113.9"}`);
  await dialogue.say("EHLO mx.sender.example");
  return dialogue;
}

/** The answer that ended the mail. An advertiser's without a label is forbidden. */
async function tell(dialogue: SmtpDialogue, id: string, forbidden: boolean): Promise<string> {
  const plain = letter("hello\n", `X-Id: ${id}\n`);
  const content = forbidden ? plain.replace("bob@sender", "a@shop") : plain;
  const from = forbidden ? "a@shop.example" : "bob@sender.example";
  const heard = await dialogue.mail({ from, to: ["ann@example.com"], content: content.replaceAll("\n", "\r\n") });
  const last = heard.at(-1) ?? "";
  if (last.startsWith("5")) await dialogue.say("RSET");
  // RCPT refused for now: DATA then says 5xx in the MTA's own words.
  return heard.some((reply) => reply.startsWith("4") || reply === "") ? "4" : last;
}
