import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { readRecipient } from "../kit/age.ts";
import { Misuse, Unavailable } from "../kit/trouble.ts";
import { coverSheet } from "../ledger/cover-sheet.ts";
import type { Search } from "../ledger/journal.ts";
import type { LawfulRequest } from "../ledger/requests.ts";
import { type FolderOptions, needPlace, type SealedFolder, writeSealedFolder } from "./export-folder.ts";
import { defineCommand, needed, text } from "./globals.ts";
import { type Ground, withGround } from "./ground.ts";
import { askedOf, noteLookUp } from "./ledger-ask.ts";
import { caseOption } from "./ledger-hold.ts";
import { noRequest, requestRegister, shown } from "./ledger-request.ts";
import { type LedgerTools, ledgerTools } from "./ledger-tools.ts";
import { print, printJson, Refused, remark } from "./output.ts";
import { type Asker, asOption, needAuditor, whoAsks } from "./who.ts";

export const exportRequest = defineCommand({
  command: "export",
  describe: "Write what an approved request asks for into a sealed folder",
  builder: (args) =>
    args
      .option("case", caseOption)
      .option("out", needed(text("directory to be made")))
      .option("encrypt-to", text("file with public keys of age (age1…), one a line: only their holders can open it"))
      .option("as", asOption)
      .example("$0 ledger request export --case 2026-117 --out 2026-117", "")
      .epilogue(
        "CSV and Parquet, hashes, signature, the proof of the chain and a cover sheet: docs/lawful-request.md.",
      ),
  handler: (options) =>
    withGround(options.config, async (ground) => {
      const asker = whoAsks(ground.config, options.as);
      needAuditor(asker);
      const recipients = options.encryptTo === undefined ? [] : readRecipients(options.encryptTo);
      const out = resolve(options.out);
      needPlace(out);
      const request = await approved(ground, options.case);
      const made = await exportTo({ out, recipients }, { ground, asker, request });
      await (options.json
        ? printJson(made)
        : print(
            `${made.entries} entries are in ${options.out}, ${made.proved} of them from sealed days`,
            `SHA256SUMS has the digest ${made.digest}, signed with key ${made.key}`,
          ));
      if (made.entries === 0) remark("note: no entry matches what the request asks for");
    }),
});

/** @throws Refused unless there is such a request, and somebody else than its opener approved it */
async function approved(ground: Ground, caseNumber: string): Promise<LawfulRequest> {
  const request = await (await requestRegister(ground)).find(caseNumber);
  if (!request) throw new Refused(noRequest(caseNumber));
  if (request.approvedBy === undefined) {
    throw new Refused(`request ${caseNumber} is not approved: somebody other than ${request.openedBy} has to`);
  }
  return request;
}

/** @throws Misuse naming the line that is no key */
function readRecipients(path: string): Buffer[] {
  let lines: string[];
  try {
    lines = readFileSync(path, "utf8").split("\n");
  } catch (error) {
    throw new Misuse(`--encrypt-to ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
  const keys = lines.flatMap((line, index) => {
    const word = line.trim();
    if (word === "" || word.startsWith("#")) return [];
    const key = readRecipient(word);
    if (!key) throw new Misuse(`--encrypt-to ${path}:${index + 1}: no public key of age; one begins with age1`);
    return [key];
  });
  if (keys.length === 0) throw new Misuse(`--encrypt-to ${path}: there is no key in it`);
  return keys;
}

interface Exporting {
  readonly ground: Ground;
  readonly asker: Asker;
  readonly request: LawfulRequest;
}

/** What is in the folder. */
interface Exported extends SealedFolder {
  readonly case: string;
  readonly entries: number;
  readonly proved: number;
  readonly key: string;
  readonly encrypted: boolean;
}

async function exportTo(
  place: Pick<FolderOptions, "out" | "recipients">,
  { ground, asker, request }: Exporting,
): Promise<Exported> {
  const { search } = request;
  const nowMs = ground.clock.now();
  const bounded = { ...search, untilMs: Math.min(search.untilMs ?? nowMs, nowMs) };
  const lookUp = await noteLookUp(ground, asker.name, { ...askedOf(bounded), case: request.case });
  const tools = await ledgerTools(ground);
  const found = { entries: 0, proved: 0 };
  const facts = (): Omit<Exported, keyof SealedFolder> => ({
    case: request.case,
    ...found,
    key: tools.key.fingerprint,
    encrypted: place.recipients.length > 0,
  });
  const sealed = await writeSealedFolder({
    ...place,
    key: tools.key,
    async fill(dir) {
      Object.assign(found, await writeData(dir, bounded, tools));
      await writeWords(dir, { ground, asker, request, search: bounded, key: tools.key.fingerprint, found });
    },
    beforeRelease: async ({ digest }) => {
      await ground.record({ event: "request-exported", actor: asker.name, evidence: { ...facts(), digest } });
    },
  });
  await lookUp.end(found.entries);
  const { digest } = sealed;
  await (await requestRegister(ground)).exported(request.case, { by: asker.name, entries: found.entries, digest });
  return { ...facts(), ...sealed };
}

async function writeData(dir: string, search: Search, { reader, root, work }: LedgerTools) {
  const parquet = join(dir, "entries.parquet");
  const entries = await reader.write(search, parquet, "parquet");
  if ((await reader.write(search, join(dir, "entries.csv"), "csv")) !== entries) {
    throw new Unavailable("ledger", "entries came in while the export was written: try again");
  }
  const { writeProof } = await import("../stores/duckdb/proof.ts");
  const first = search.sinceMs === undefined ? {} : { first: new Date(search.sinceMs).toISOString().slice(0, 10) };
  const { proved } = await writeProof({ ...work, ...first, root, entries: parquet, to: join(dir, "proof") });
  return { entries, proved };
}

interface Words extends Exporting {
  readonly search: Search;
  readonly key: string;
  readonly found: { readonly entries: number; readonly proved: number };
}

async function writeWords(dir: string, { ground, asker, request, search, key, found }: Words): Promise<void> {
  const exportedAtMs = ground.clock.now();
  const { hostname } = ground.config;
  const asked = askedOf(search);
  const record = {
    ...shown(request),
    searched: asked,
    exportedBy: asker.name,
    exportedAt: new Date(exportedAtMs).toISOString(),
    ...found,
    hostname,
    key,
  };
  const sheet = coverSheet({
    request,
    hostname,
    exportedBy: asker.name,
    exportedAtMs,
    ...found,
    key,
    asked: Object.entries(asked).map(([name, value]) => [name, String(value)] as const),
  });
  const { state: _, exported: __, ...rest } = record;
  await writeFile(join(dir, "request.json"), `${JSON.stringify(rest, undefined, 2)}\n`, { mode: 0o600 });
  await writeFile(join(dir, "cover-sheet.txt"), sheet, { mode: 0o600 });
}
