/** The real service, started in this process for one test or one file, in a directory of its own. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, onTestFinished } from "vitest";
import { stringify } from "yaml";
import { type LoadedConfig, loadConfig } from "../../src/config/load.ts";
import { mailboxName } from "../../src/delivery/maildir-names.ts";
import { buildHouse, type House } from "../../src/house.ts";
import type { Clock } from "../../src/kit/clock.ts";
import { createLog } from "../../src/kit/log.ts";
import type { Entry } from "../../src/ledger/entry.ts";
import type { Search } from "../../src/ledger/journal.ts";
import { openHouse } from "../../src/main.ts";
import { tempDir } from "./temp.ts";
import { until } from "./wait.ts";

/** Keys of config/consentry.yaml, as the file has them; sections are merged, lists replaced. */
export type Overrides = Readonly<Record<string, unknown>>;

export interface RunningService {
  readonly house: House;
  readonly dir: string;
  /** Port of each listener of 127.0.0.1, in the order of the configuration: by default smtp, then submission. */
  readonly ports: readonly number[];
  readonly smtp: number;
  readonly submission: number;
  /** Puts another configuration in force: the first one with these keys over it. */
  reload(overrides: Overrides): Promise<void>;
  /** Everything in the ledger that matches, oldest first. */
  entries(search?: Search): Promise<Entry[]>;
  /** Waits until so many entries match. */
  entriesSoon(count: number, search?: Search): Promise<Entry[]>;
  /** What was delivered to a recipient, one string a mail, bytes as latin1, in no promised order. */
  mailsTo(address: string): string[];
  /** Every mail in the Maildirs. */
  mails(): string[];
  /** Files that somebody left half written. */
  leftovers(): string[];
  close(): Promise<void>;
}

const DEFAULTS: Overrides = {
  hostname: "relay.example.net",
  listeners: [
    { door: "smtp", listen: "127.0.0.1:0", requireTls: false },
    { door: "submission", listen: "127.0.0.1:0", requireTls: false },
  ],
  localDomains: ["example.com", "*.branch.example.com", "例子.测试"],
  trustedProxies: ["127.0.0.1"],
  store: { url: "memory:" },
  log: { level: "silent" },
  limits: { drainMs: 2000 },
};

/**
 * Starts the service; it is closed when the test is done. Next hop is a Maildir.
 * @throws Misuse as `consentry serve` would
 */
export async function startService(overrides: Overrides = {}, clock?: Clock): Promise<RunningService> {
  const service = await openService(overrides, clock);
  onTestFinished(service.close);
  return service;
}

/** One service for all tests of a describe or file, for tests that keep their mails apart. Called outside of tests. */
export function sharedService(overrides: Overrides = {}): () => RunningService {
  let service: RunningService | undefined;
  beforeAll(async () => {
    service = await openService(overrides);
    return service.close;
  });
  return () => {
    if (!service) throw new Error("not started yet");
    return service;
  };
}

async function openService(overrides: Overrides, clock?: Clock): Promise<RunningService> {
  const dir = tempDir();
  const mail = join(dir, "mail");
  mkdirSync(mail);
  const load = (more: Overrides): LoadedConfig => {
    const path = join(dir, "consentry.yaml");
    const base = { ...DEFAULTS, dataDir: join(dir, "data"), nextHop: { to: `maildir:${mail}` } };
    writeFileSync(path, stringify([overrides, more].reduce(merge, base)));
    return loadConfig(path, {});
  };
  const house = await buildHouse(load({}), createLog("silent"), clock && { clock });
  const service = await openHouse(house);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= service.close();
    return closing;
  };
  const ports = service.addresses.map((address) => Number(/:(\d+)$/.exec(address)?.[1]));
  const entries = async (search: Search = {}): Promise<Entry[]> => {
    const found: Entry[] = [];
    for await (const entry of house.journal.find(search)) found.push(entry);
    return found;
  };
  return {
    house,
    dir,
    ports,
    smtp: ports[0] ?? 0,
    submission: ports[1] ?? 0,
    reload: (more) => service.reload(load(more)),
    entries,
    entriesSoon: (count, search) =>
      until(`${count} entries`, async () => {
        const found = await entries(search);
        return found.length >= count ? found : undefined;
      }),
    mailsTo: (address) => filesIn(join(mail, mailboxName(address.toLowerCase()), "new")),
    mails: () => readdirSync(mail).flatMap((box) => filesIn(join(mail, box, "new"))),
    leftovers: () => [
      ...readdirSync(mail).flatMap((box) => filesIn(join(mail, box, "tmp"))),
      ...filesIn(join(dir, "data", "incoming")),
    ],
    close,
  };
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const isSection = (value: unknown): value is Overrides =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const merge = (base: Overrides, over: Overrides): Overrides => ({
  ...base,
  ...Object.fromEntries(
    Object.entries(over).map(([key, value]) => {
      const below = base[key];
      return [key, isSection(value) && isSection(below) ? merge(below, value) : value];
    }),
  ),
});
