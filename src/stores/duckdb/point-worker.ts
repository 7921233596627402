/** A thread that reads pages for look-ups: `point-pool.ts` starts it and asks. */
import { parentPort, workerData } from "node:worker_threads";
import type { Entry } from "../../ledger/entry.ts";
import type { Search } from "../../ledger/journal.ts";
import { createCipher } from "./cipher.ts";
import { openUnpacker } from "./parquet/unpack.ts";
import { createHitReader, createIndexCache, type Hit } from "./point-read.ts";

export interface Question {
  readonly id: number;
  readonly search: Search;
  readonly hits: readonly Hit[];
}

export type Answer =
  | { readonly ready: true }
  | { readonly id: number; readonly entries: readonly Entry[] }
  | { readonly id: number; readonly trouble: string };

const archiveKey = workerData as Uint8Array | undefined;
const cipher = archiveKey && createCipher(archiveKey);
const reader = createHitReader(createIndexCache(cipher), cipher);
const answer = (message: Answer): void => parentPort?.postMessage(message);

parentPort?.on("message", ({ id, search, hits }: Question) => {
  try {
    answer({ id, entries: reader.read(search, hits) });
  } catch (error) {
    answer({ id, trouble: (error as Error).message });
  }
});
await openUnpacker();
answer({ ready: true });
