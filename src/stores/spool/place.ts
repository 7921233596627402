/** Whether a directory can be the spool of this service: its file system, whether it is the one it was, and who else is in it. */
import { existsSync, mkdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Misuse } from "../../kit/trouble.ts";
import { type Moment, servicesOf } from "./owners.ts";
import type { Tables } from "./rows.ts";

/** LMDB shares memory and locks between processes, which file systems over a network do not do. statfs(2) names them by number. */
const REMOTE: Readonly<Record<number, string>> = {
  26985: "NFS",
  4283649346: "CIFS",
  4266872130: "SMB",
  20859: "SMB",
  16914839: "9P",
  12805120: "CephFS",
  1196443219: "GPFS",
  198183888: "Lustre",
};

/** @throws Misuse when the spool cannot lie there */
export function checkFileSystem(dir: string, typeOf = (path: string): number => statfsSync(path).type): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const remote = REMOTE[typeOf(dir)];
  if (remote === undefined) return;
  throw new Misuse(`dataDir: ${dir} lies on ${remote}, where the spool cannot be kept`, [
    "give it a file system of this machine; each node has a spool of its own",
  ]);
}

const PLACE = Buffer.from("place");

/** What a copy does not have: the file's number, and the moment it was made. */
function placeOf(dir: string): string {
  const { ino, birthtimeMs } = statSync(join(dir, "data.mdb"));
  return `${ino} ${Math.floor(birthtimeMs)}`;
}

/**
 * Takes the spool for this service, inside a transaction.
 *
 * @param adopt the operator says that this is the only copy in use
 * @returns whether nobody of this service was there before
 * @throws Misuse when another service has it, or when it was copied from elsewhere
 */
export function claim(dbs: Tables, { dir, service, at, adopt }: Claim): boolean {
  const { ours, stranger } = servicesOf(dbs, service, at);
  if (stranger) {
    throw new Misuse(`the spool ${dir} is in use by another consentry (process ${stranger.pid})`, [
      "one service has one dataDir; stop that one, or give this one a dataDir of its own",
    ]);
  }
  const place = placeOf(dir);
  const known = dbs.meta.get(PLACE);
  if (known !== undefined && known !== place && !adopt && dbs.mails.getKeysCount({ limit: 1 }) > 0) {
    throw new Misuse(`the spool ${dir} is a copy, or was restored from one: its mails may have been delivered since`, [
      "to take it over with all that is in it: consentry queue adopt",
      `to begin with an empty one: move ${dir} away`,
    ]);
  }
  if (known !== place) void dbs.meta.put(PLACE, place);
  return ours === 0;
}

export interface Claim {
  readonly dir: string;
  readonly service: string;
  readonly at: Moment;
  readonly adopt: boolean;
}

/** Is there a spool to look into? */
export const hasSpool = (dir: string): boolean => existsSync(join(dir, "data.mdb"));
