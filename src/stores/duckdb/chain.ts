/**
 * The list of all seals of a node, one line each, also of days that are gone: `seals/<node>.jsonl`. It is a copy of what the seals say of
 * one another, kept so that the newest seal is found without reading all, and a day that is gone for good reason is told from
 * one that is gone. A line that a crash left out is made up for.
 */
import { appendFile, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestOf, type ReadSeal, type Removal } from "../../ledger/seal.ts";
import { makeDirectory, readIfThere } from "./durable.ts";

export interface ChainLink {
  readonly seq: number;
  readonly date: string;
  readonly volume: string;
  readonly digest: string;
  readonly entries: number;
}

export interface Chain {
  readonly links: readonly ChainLink[];
  readonly removals: readonly Removal[];
  /** Removals since the newest link. */
  readonly pending: readonly Removal[];
}

const FILE_MODE = 0o600;

const chainPath = (root: string, node: string): string => join(root, "seals", `${node}.jsonl`);
export const publicKeyPath = (root: string, node: string): string => join(root, "seals", `${node}.pem`);

type Line = { readonly sealed: ChainLink } | { readonly removed: Removal };

export async function readChain(root: string, node: string): Promise<Chain> {
  const text = (await readIfThere(chainPath(root, node))) ?? "";
  const lines = text.split("\n").flatMap(lineOf);
  const removed = (some: readonly Line[]): Removal[] =>
    some.flatMap((line) => ("removed" in line ? [line.removed] : []));
  return {
    links: lines.flatMap((line) => ("sealed" in line ? [line.sealed] : [])),
    removals: removed(lines),
    pending: removed(lines.slice(lines.findLastIndex((line) => "sealed" in line) + 1)),
  };
}

/** None for the end of a line that a crash cut off, and for what is no line of ours. */
function lineOf(text: string): Line[] {
  try {
    const line: unknown = JSON.parse(text);
    if (typeof line !== "object" || line === null) return [];
    const { sealed, removed } = line as { sealed?: unknown; removed?: unknown };
    if (isLink(sealed)) return [{ sealed }];
    return isRemoval(removed) ? [{ removed }] : [];
  } catch {
    return [];
  }
}

const isLink = (link: unknown): link is ChainLink => {
  const { seq, date, volume, digest, entries } = (link ?? {}) as Partial<Record<keyof ChainLink, unknown>>;
  return Number.isSafeInteger(seq) && [date, volume, digest].every(isText) && typeof entries === "number";
};

const isRemoval = (removal: unknown): removal is Removal =>
  isLink(removal) && isText((removal as Partial<Removal>).removedAt);

const isText = (value: unknown): value is string => typeof value === "string";

async function addLine(root: string, node: string, line: Line): Promise<void> {
  const path = chainPath(root, node);
  await makeDirectory(dirname(path));
  await appendFile(path, `\n${JSON.stringify(line)}\n`, { mode: FILE_MODE });
  const handle = await open(path, "r");
  await handle.sync().finally(() => handle.close());
}

export const linkOf = ({ seal, digest }: Pick<ReadSeal, "seal" | "digest">): ChainLink => ({
  seq: seal.seq,
  date: seal.date,
  volume: seal.volume,
  digest,
  entries: seal.entries,
});

export const addLink = (root: string, node: string, link: ChainLink): Promise<void> =>
  addLine(root, node, { sealed: link });

export const addRemoval = (root: string, node: string, removal: Removal): Promise<void> =>
  addLine(root, node, { removed: removal });

/** What a seal says before it is signed and has a digest. */
export const textDigest = (text: string): string => digestOf(text.split("\n")[0] ?? "");
