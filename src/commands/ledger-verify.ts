import { existsSync, readFileSync } from "node:fs";
import { Misuse } from "../kit/trouble.ts";
import { isPublicKey } from "../ledger/chain-check.ts";
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
  const sealed = await witnessesOf(reader.find({ event: "day-sealed" }));
  const { deletions } = await witnessesOf(reader.find({ event: "day-deleted" }));
  const progress = createProgress("days");
  try {
    return await verifyArchive({
      ...work,
      root,
      node,
      anchors: [...sealed.anchors, ...anchors],
      deletions,
      keys,
      onDay: (done) => progress.at(done),
    });
  } finally {
    progress.end();
  }
}

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
