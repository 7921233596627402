import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { sendCopies } from "./copies.ts";
import type { Options } from "./options.ts";
import { type Ran, run } from "./run.ts";

/** What stands round the server and is not reached by SMTP. */
export interface World {
  /** The clients `shop`, an advertiser with management codes, `office` and `desk`, which are none, and those of customers.ts; what alice@example.com agreed to. */
  prepare(): Promise<void>;
  /** @param more further words of `consentry consent grant` */
  grant(recipient: string, ...more: readonly string[]): Promise<void>;
  withdraw(recipient: string): Promise<void>;
  /** Clicks on the link to refuse in the newest advertisement to this mailbox. */
  click(mailbox: string): Promise<void>;
  /** The Subject that the newest advertisement to this mailbox asks for in a mail to the refusal address. */
  refusalSubject(mailbox: string): Promise<string>;
  /** Whether a block stood or not. */
  unblock(subject: string): Promise<void>;
  /** Words of `consentry client`, whether there was anything to do or not. */
  client(...words: readonly string[]): Promise<void>;
  /** Docker only. */
  redis(what: "stop" | "start"): Promise<void>;
  /** Docker only. */
  consentry(what: "stop" | "start"): Promise<void>;
  /** Does the mail lie in the mailbox? Waits a moment for it; undefined: nobody can look. */
  arrived(mailbox: string, messageId: string): Promise<boolean | undefined>;
  /** Sends so many copies of one advertisement from a stranger, each to somebody else, on one connection. */
  copies(count: number): Promise<void>;
  /** The ledger's entries of one mail. */
  ledgerOf(id: string): Promise<string>;
  /** The ledger's entries from this moment on, as a person reads them. */
  ledgerSince(at: Date): Promise<string>;
}

const ARRIVAL_MS = 15_000;
const LOOK_EVERY_MS = 250;

/** Nobody reads two hundred lines that say the same: the last stands for all. */
function withoutCopies(text: string): string {
  const lines = text.split("\n");
  const copies = lines.filter((line) => line.includes(COPY));
  const kept = lines.filter((line) => !line.includes(COPY) || line === copies.at(-1));
  return [...kept, ...(copies.length > 1 ? [`(and ${copies.length - 1} other copies)`, ""] : [])].join("\n");
}
const COPY = "→ alice+";

/** The newest advertisement of the shop in a mailbox, header lines unfolded. */
async function newestIn(maildir: string | undefined, mailbox: string): Promise<string> {
  const found = await run(["grep", "-rlF", "-e", "List-Unsubscribe", maildir ?? "no-maildir"]);
  const paths = found.stdout
    .split("\n")
    .filter((path) => path.includes(`/${mailbox}@`) || path.includes(`/${mailbox}%`));
  const times = await Promise.all(paths.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })));
  const [newest] = times.sort((a, b) => b.at - a.at);
  return newest ? (await readFile(newest.path, "latin1")).replace(/\r?\n[ \t]+/g, " ") : "";
}

/** @param house the checkout */
export function createWorld(options: Options, house: string): World {
  const { compose } = options;
  const profile = compose?.profile === undefined ? [] : ["--profile", compose.profile];
  const docker = (...args: string[]): Promise<Ran> => run(["docker", "compose", ...profile, ...args], { cwd: house });
  const consentry = async (args: readonly string[], input?: string): Promise<Ran> =>
    run(
      compose
        ? ["docker", "compose", ...profile, "exec", "-T", compose.consentry, "consentry", ...args]
        : ["bin/consentry", ...args, "--config", options.config],
      { cwd: house, ...(input !== undefined && { input }) },
    );
  const must = async (args: readonly string[], input?: string): Promise<string> => {
    const { status, stdout, stderr } = await consentry(args, input);
    if (status !== 0) throw new Error(`consentry ${args.join(" ")} exited with ${status}:\n${stderr.trim()}`);
    return stdout;
  };
  const grant = async (recipient: string, ...more: readonly string[]): Promise<void> => {
    const words = ["consent", "grant", recipient, "--advertiser", "shop", "--how", "web-form", "--reference", "try"];
    // More than these scenarios need, however often they are played in a day.
    await must([...words, ...(more.length > 0 ? more : ["--limit", "100000/24h"])]);
  };
  const issue = async (code: string, issued: string): Promise<void> => {
    if ((await consentry(["code", "show", code])).status === 0) return;
    await must(["code", "issue", code, "--holder", "shop", "--issued", issued]);
  };
  const turn = async (service: string, what: "stop" | "start"): Promise<void> => {
    const done = what === "stop" ? await docker("stop", service) : await docker("up", "-d", "--wait", service);
    if (done.status !== 0) throw new Error(`docker compose ${what} ${service}: ${done.stderr.trim()}`);
  };
  const register = async (id: string, words: readonly string[]): Promise<void> => {
    if ((await consentry(["client", "show", id])).status === 0) return;
    await must(["client", "add", id, ...words, "--password-stdin"], "demo\n");
  };
  /** Those of customers.ts. */
  const registerCustomers = async (): Promise<void> => {
    await register("late", ["--kind", "isp-customer", "--domain", "late.example"]);
    await register("bulk", ["--kind", "isp-customer", "--domain", "bulk.example", "--pack", "mbp-2024"]);
    const provider = ["--kind", "email-provider", "--domain", "provider.example", "--licence", "B2-20260101"];
    await register("provider", provider);
    const address = ["client", "address", "add", "provider", "198.51.100.30", "--authority", "MIIT"];
    // Exit 1: it is registered already.
    await consentry([...address, "--registered-on", "2026-01-01"]);
  };
  const holders = (messageId: string): Promise<Ran> | undefined => {
    const search = ["grep", "-rlF", "-e", messageId];
    if (compose) return docker("exec", "-T", compose.mailboxes, ...search, "/var/mail/example.com");
    return options.maildir === undefined ? undefined : run([...search, options.maildir]);
  };
  return {
    async prepare() {
      await register("shop", ["--kind", "advertiser", "--domain", "shop.example"]);
      await register("desk", ["--kind", "isp-customer", "--domain", "office.example"]);
      await register("office", ["--kind", "isp-customer", "--domain", "office.example"]);
      await registerCustomers();
      await grant("alice@example.com");
      await issue("1231", "1d");
      await issue("OLD1", "2009-02-09");
    },
    grant,
    async withdraw(recipient) {
      await must(["consent", "withdraw", recipient, "--advertiser", "shop"]);
    },
    async click(mailbox) {
      const link = /<(http[^>]+\/refuse\/[\w-]+)>/.exec(await newestIn(options.maildir, mailbox))?.[1];
      if (link === undefined) throw new Error(`no link to refuse in the newest mail to ${mailbox}`);
      const answer = await fetch(link, {
        method: "POST",
        body: "List-Unsubscribe=One-Click",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        signal: AbortSignal.timeout(ARRIVAL_MS),
      });
      if (!answer.ok) throw new Error(`the click was answered ${answer.status}`);
    },
    async refusalSubject(mailbox) {
      const subject = /<mailto:[^?>]+\?subject=([\w-]+)>/.exec(await newestIn(options.maildir, mailbox))?.[1];
      if (subject === undefined) throw new Error(`no address to refuse in the newest mail to ${mailbox}`);
      return subject;
    },
    async unblock(subject) {
      // Exit 1: nobody was blocked.
      const { status, stderr } = await consentry(["block", "remove", subject]);
      if (status > 1) throw new Error(`consentry block remove ${subject}: ${stderr.trim()}`);
    },
    async client(...words) {
      const { status, stderr } = await consentry(["client", ...words]);
      if (status > 1) throw new Error(`consentry client ${words.join(" ")}: ${stderr.trim()}`);
    },
    redis: (what) => turn("redis", what),
    consentry: (what) => turn(compose?.consentry ?? "consentry", what),
    async arrived(mailbox, messageId) {
      const until = Date.now() + ARRIVAL_MS;
      for (;;) {
        const found = await holders(messageId);
        if (!found) return undefined;
        if (found.stdout.split("\n").some((path) => path.includes(`/${mailbox}`))) return true;
        if (Date.now() > until) return false;
        await sleep(LOOK_EVERY_MS);
      }
    },
    copies: (count) => sendCopies(options.server, count),
    ledgerOf: (id) => must(["ledger", "find", "--id", id]),
    ledgerSince: async (at) => withoutCopies(await must(["ledger", "find", "--since", at.toISOString()])),
  };
}
