import { existsSync, readFileSync } from "node:fs";
import { Misuse } from "../kit/trouble.ts";
import { type Anchor, readAnchors } from "../ledger/seal.ts";
import { type Verification, witnessesOf } from "../ledger/verify.ts";
import { defineCommand, texts } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { ledgerTools } from "./ledger-tools.ts";
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

async function verifyLedger(ground: Ground, given: Given): Promise<Verification> {
  const { reader, root, work, key } = await ledgerTools(ground);
  const { verifyArchive } = await import("../stores/duckdb/verify.ts");
  const progress = createProgress("days");
  const [sealed, deleted] = await Promise.all(
    (["day-sealed", "day-deleted"] as const).map((event) => witnessesOf(reader.find({ event }))),
  );
  try {
    return await verifyArchive({
      ...work,
      root,
      anchors: [...(sealed?.anchors ?? []), ...anchorsOf(ground, given)],
      deletions: deleted?.deletions ?? new Map(),
      keys: [key.publicPem, ...(given.key ?? []).map((path) => read(path, "key"))],
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
