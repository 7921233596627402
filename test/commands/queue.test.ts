/** The operators' commands, run as programs beside a running service. */
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openSpoolDesk } from "../../src/stores/spool/desk.ts";
import { createCli } from "../helpers/cli.ts";
import { startScripted } from "../helpers/scripted-server.ts";
import { type Overrides, type RunningService, startService } from "../helpers/service.ts";
import { openSmtp } from "../helpers/smtp-dialogue.ts";
import { until } from "../helpers/wait.ts";

const HEAD = "From: a@stranger.example\r\nTo: b@example.com\r\nSubject: SUBJECT\r\n";

async function send(service: RunningService, subject = "hello", to = "b@example.com"): Promise<string> {
  const client = await openSmtp(service.smtp);
  await client.say("EHLO client.stranger.example");
  const content = `${HEAD.replace("SUBJECT", subject)}Date: ${new Date().toUTCString()}\r\n\r\nthe body`;
  const heard = await client.mail({ from: "a@stranger.example", to: [to], content });
  client.end();
  return /id (\w{23})/.exec(heard.at(-1) ?? "")?.[1] ?? `none: ${heard.at(-1)}`;
}

/** A queueing service, and the command line on its directory. */
async function site(overrides: Overrides = {}) {
  const service = await startService({
    queue: { processes: 0, reserveMb: 1 },
    rules: { "content/prohibited": { patterns: [{ name: "a word", pattern: "forbidden" }] } },
    ...overrides,
    nextHop: { mode: "queue", ...(overrides.nextHop as object | undefined) },
  });
  const cli = createCli("", join(service.dir, "consentry.yaml"));
  const run = (...words: string[]) => cli.run(words);
  const desk = openSpoolDesk(join(service.dir, "data", "spool"), 5_000);
  onTestFinished(() => desk.close());
  /** Asks the queue itself: a program for each look would take a second. */
  const states = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { state } of desk.list({})) found.push(state);
    return found;
  };
  return { service, run, states };
}

/** Each command is a program of its own, which on a busy machine takes its time to start. */
const PATIENCE_MS = 120_000;

async function busyHop() {
  const hop = await startScripted({ answers: { RCPT: ["450 4.2.0 busy"] } });
  return { hop, to: `smtp://127.0.0.1:${hop.port}` };
}

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("consentry hold", () => {
  it("lists, shows, releases and deletes what a rule held, and the ledger has who did it", {
    timeout: PATIENCE_MS,
  }, async () => {
    const { service, run, states } = await site();
    const [first, second] = [await send(service, "forbidden"), await send(service, "forbidden")];
    await until("both are held", async () => (await states()).filter((state) => state === "held").length === 2);
    const [held] = lines((await run("hold", "list", "--json")).stdout);
    expect(held).toMatchObject({ id: first, state: "held", hold: { rule: "content/prohibited" } });
    const shown = await run("hold", "show", first);
    expect(shown.stdout).toContain("Subject: forbidden");
    expect(shown.stdout).toMatch(/^ {4}by relay\.example\.net \(consentry\)/m);
    expect(shown.stdout).not.toContain("the body");
    expect((await run("hold", "show", first, "--body")).stdout).toContain("the body");
    expect(await run("hold", "release", first, "--by", "li")).toMatchObject({ code: 0, stdout: "1 mails released\n" });
    await until("it is delivered", () => service.mails().length === 1);
    expect(await run("hold", "delete", second, "--by", "li")).toMatchObject({ code: 0 });
    expect((await run("hold", "list")).stdout).toBe("");
    expect(service.mails().length).toBe(1);
    const done = (await service.entries()).filter(({ actor }) => actor === "li");
    expect(done.map(({ event, mailId, rules }) => [event, mailId, rules])).toEqual([
      ["released", first, ["content/prohibited"]],
      ["dropped", second, ["content/prohibited"]],
    ]);
    expect(await run("hold", "release", second)).toMatchObject({ code: 1 });
  });
});

describe("consentry queue", () => {
  it("shows what waits and why, and tries it at once when told", { timeout: PATIENCE_MS }, async () => {
    const { hop, to } = await busyHop();
    const { service, run, states } = await site({ nextHop: { to } });
    const id = await send(service);
    await service.entriesSoon(2);
    const [listed] = lines((await run("queue", "list", "--json")).stdout);
    expect(listed).toMatchObject({ id, state: "deferred", recipients: [{ recipient: "b@example.com", attempts: 1 }] });
    expect(JSON.stringify(listed)).toContain("busy");
    expect((await run("queue", "list", "--state", "held")).stdout).toBe("");
    expect((await run("queue", "oldest")).stdout).toContain(id);
    expect((await run("queue", "destinations")).stdout).toContain(`${to}  1 mails  next`);
    expect(await run("queue", "retry")).toMatchObject({ code: 2 });
    expect(await run("queue", "retry", id, "--by", "li")).toMatchObject({ code: 0 });
    await until("it is delivered", () => hop.mails.length === 1);
    await until("it is gone", async () => (await states()).length === 0);
    const traced = await run("trace", id);
    expect(traced.stdout).toMatch(/delayed for b@example\.com[\s\S]*queue-changed[\s\S]*done by li[\s\S]*handed-over/);
    expect(traced.stdout).toContain("not in the queue");
    await hop.stop();
  });

  it("drops and holds what it is told to", { timeout: PATIENCE_MS }, async () => {
    const { hop, to } = await busyHop();
    const { service, run } = await site({ nextHop: { to } });
    const id = await send(service);
    await service.entriesSoon(2);
    expect(await run("queue", "hold", id, "--for", "1d")).toMatchObject({ code: 2 });
    expect(await run("queue", "hold", id, "--reason", "odd")).toMatchObject({ code: 0 });
    expect(lines((await run("hold", "list", "--json")).stdout)[0]).toMatchObject({ hold: { reason: "odd" } });
    expect(await run("queue", "drop", "--sender", "stranger", "--by", "li")).toMatchObject({ code: 0 });
    expect((await run("queue", "list")).stdout).toBe("");
    expect((await service.entries()).at(-1)).toMatchObject({
      event: "dropped",
      actor: "li",
      recipient: "b@example.com",
    });
    expect(await run("queue", "drop", id)).toMatchObject({ code: 1 });
    await hop.stop();
  });

  it("suspends and resumes a destination", { timeout: PATIENCE_MS }, async () => {
    const { service, run, states } = await site();
    const [state] = [`maildir:${join(service.dir, "mail")}`];
    expect(await run("queue", "suspend", "--destination", state, "--reason", "moving")).toMatchObject({ code: 0 });
    const id = await send(service);
    await until("it is there", async () => (await states())[0] === "queued");
    expect((await run("queue", "list")).stdout).toContain(id);
    expect((await run("queue", "destinations")).stdout).toContain("suspended by");
    expect(service.mails()).toEqual([]);
    expect(await run("queue", "resume", "--destination", state)).toMatchObject({ code: 0 });
    await until("it is delivered", () => service.mails().length === 1);
  });

  it("says so where there is no queue", async () => {
    const cli = createCli();
    expect(await cli.run(["queue", "list"])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("there is no queue"),
    });
  });
});
