import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { NODE_NAME } from "../kit/node-name.ts";
import { Misuse } from "../kit/trouble.ts";
import { makeOnce } from "./made-once.ts";
import type { Config } from "./schema.ts";

/** Of the machine's name; the random rest tells apart machines that have one image, and so one name. */
const HOST_CHARS_MAX = 40;

const makeName = (): string => {
  const host = hostname()
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, HOST_CHARS_MAX);
  return `${host || "node"}-${randomBytes(2).toString("hex")}\n`;
};

/**
 * The name under which this node's days stand in the archive: `ledger.node`, else made once in `dataDir`, so that a machine that gets
 * another name goes on with its days. @throws Misuse when it cannot be read
 */
export function readNodeName({ ledger, dataDir }: Pick<Config, "ledger" | "dataDir">): string {
  if (ledger.node !== undefined) return ledger.node;
  const path = join(dataDir, "node");
  let name: string;
  try {
    if (!existsSync(path)) makeOnce(path, makeName);
    name = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Misuse(`cannot read this node's name ${path}: ${(error as NodeJS.ErrnoException).code ?? "unreadable"}`);
  }
  if (NODE_NAME.test(name)) return name;
  throw new Misuse(`${path} holds no name of a node: small letters, digits, "-" and ".", at most 63`);
}
