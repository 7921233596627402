import { existsSync, readFileSync } from "node:fs";
import { Misuse, Unavailable } from "../kit/trouble.ts";
import { isPublicKey } from "../ledger/chain-check.ts";
import type { EventName } from "../ledger/events.ts";
import type { Search } from "../ledger/journal.ts";
import { type Anchor, readAnchors } from "../ledger/seal.ts";
import { type Verification, type Witnesses, witnessesOf } from "../ledger/verify.ts";
import { defineCommand, texts } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { type LedgerTools, ledgerTools } from "./ledger-tools.ts";
import { clean, createProgress, print, printJson, remark } from "./output.ts";
import { asOption, whoAsks } from "./who.ts";

export const verify = defineCommand({
  command: "verify",
  describe: "Is every sealed day as it was sealed? Names what was changed, removed, added or reordered",
  builder: (args) =>
    args
      .option("anchors", texts("file with anchor lines, as a syslog has them; ledger.anchorFile is read anyway"))
      .option("key", texts("file with a public key that seals may be signed with, PEM"))
      .option("as", asOption)
      .example("$0 ledger verify", "exit 1 when something is not as it was")
      .example(
        "ssh loghost grep consentry-anchor /var/log/syslog | $0 ledger verify --anchors -",
        "held against another machine's log",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      whoAsks(ground.config, options.as);
      const result = await verifyLedger(ground, options);
      await (options.json ? printJson(result) : print(...inWords(result)));
      for (const note of result.notes) if (!options.json) remark(`note: ${note}`);
      if (result.troubles.length > 0) process.exitCode = 1;
    }),
});

interface Given {
  readonly anchors?: readonly string[] | undefined;
  readonly key?: readonly string[] | undefined;
}

const TRIES = 3;

/** Once more when the relay put the archive in order while it was looked at. */
async function verifyLedger(ground: Ground, given: Given): Promise<Verification> {
  const tools = await ledgerTools(ground);
  const { archiveState } = await import("../stores/duckdb/verify.ts");
  const keys = [tools.key.publicPem, ...(given.key ?? []).map(readKey)];
  const anchors = anchorsOf(ground, given);
  for (let attempt = 1; ; attempt += 1) {
    const before = await archiveState(tools.root);
    const result = await verifyOnce(tools, { keys, anchors });
    if (result.troubles.length === 0 || attempt === TRIES || before === (await archiveState(tools.root))) return result;
  }
}

async function verifyOnce(
  { reader, root, node, work }: LedgerTools,
  { keys, anchors }: Pick<Witnesses, "keys" | "anchors">,
): Promise<Verification> {
  const { verifyArchive } = await import("../stores/duckdb/verify.ts");
  const { sealed, deleted, notes } = await ownWitnesses({ reader, root });
  const progress = createProgress("days");
  try {
    const result = await verifyArchive({
      ...work,
      root,
      node,
      anchors: [...sealed.anchors, ...anchors],
      deletions: deleted.deletions,
      keys,
      onDay: (done) => progress.at(done),
    });
    return { ...result, notes: [...notes, ...result.notes] };
  } finally {
    progress.end();
  }
}

type Own = Omit<Witnesses, "keys">;

/** What the ledger's own entries say of its seals. A day that cannot be read any more has no say, and is named by the check itself. */
async function ownWitnesses({ reader, root }: Pick<LedgerTools, "reader" | "root">) {
  const ask = async (event: EventName, span: Pick<Search, "sinceMs" | "untilMs">): Promise<Own> =>
    witnessesOf(reader.find({ event, ...span }));
  const askBoth = async (span: Pick<Search, "sinceMs" | "untilMs">) => ({
    sealed: await ask("day-sealed", span),
    deleted: await ask("day-deleted", span),
  });
  try {
    return { ...(await askBoth({})), notes: [] };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
  }
  const { readCatalog } = await import("../stores/duckdb/catalog.ts");
  const starts = [...new Set((await readCatalog(root)).map(({ date }) => Date.parse(date)))].sort((a, b) => a - b);
  const spans = starts.map((sinceMs) => ({ sinceMs, untilMs: sinceMs + DAY_MS }));
  const found: Own[] = [];
  const notes: string[] = [];
  for (const span of [...spans, { sinceMs: (starts.at(-1) ?? 0) + DAY_MS }]) {
    try {
      const both = await askBoth(span);
      found.push(both.sealed, both.deleted);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const date = new Date(span.sinceMs).toISOString().slice(0, 10);
      notes.push(`what entries of day ${date} say of seals was not compared: they cannot be read`);
    }
  }
  const all: Own = {
    anchors: found.flatMap(({ anchors }) => anchors),
    deletions: new Map(found.flatMap(({ deletions }) => [...deletions])),
  };
  return { sealed: all, deleted: all, notes };
}

const DAY_MS = 86_400_000;

function anchorsOf({ config }: Ground, { anchors = [] }: Given): Anchor[] {
  const { anchorFile } = config.ledger;
  const own = anchorFile !== undefined && existsSync(anchorFile) ? readFileSync(anchorFile, "utf8") : "";
  return readAnchors([own, ...anchors.map((path) => read(path, "anchors"))].join("\n"));
}

/** @throws Misuse */
function readKey(path: string): string {
  const pem = read(path, "key");
  if (!isPublicKey(pem)) throw new Misuse(`--key ${path}: no Ed25519 public key in PEM`);
  return pem;
}

/** @throws Misuse */
function read(path: string, option: string): string {
  try {
    return readFileSync(path === "stdin:" ? 0 : path, "utf8");
  } catch (error) {
    throw new Misuse(`--${option} ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

function inWords({ days, entries, tips, open, troubles }: Verification): string[] {
  const found = troubles.map(({ node, date, entry, says }) =>
    clean([date ?? "-", `node ${node}`, entry && `entry ${entry}`, says].filter(Boolean).join("  ")),
  );
  const newest = tips.map(({ node, seq, date, digest, key }) =>
    clean(`node ${node}: newest seal ${seq} of ${date}, digest ${digest}, key ${key}`),
  );
  const sum = `${days} sealed days, ${entries} entries: ${troubles.length === 0 ? "all as they were sealed" : "NOT as they were sealed"}`;
  return [...found, sum, ...newest, ...(open.length > 0 ? [`not sealed yet: ${[...new Set(open)].join(", ")}`] : [])];
}
