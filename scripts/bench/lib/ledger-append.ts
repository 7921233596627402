/** Appending to the journal, with so many mails at once, each waiting for its entry to be on disk. */
import { createIds } from "../../../src/kit/ids.ts";
import { openJournal } from "../../../src/stores/hourlog/journal.ts";
import { entriesOf } from "./ledger-days.ts";

const SECONDS = 3;

/** @returns entries a second */
export async function appendRate(dir: string, concurrent: number): Promise<number> {
  const journal = await openJournal(dir);
  const ids = createIds({ now: () => Date.now() }, Buffer.alloc(32, 5));
  const models = [...entriesOf(0, 2_000)];
  const endMs = performance.now() + SECONDS * 1000;
  let written = 0;
  const mail = async (): Promise<void> => {
    while (performance.now() < endMs) {
      const model = models[written % models.length];
      if (!model) return;
      await journal.append([{ ...model, id: ids.next(), at: Date.now() }]);
      written += 1;
    }
  };
  await Promise.all(Array.from({ length: concurrent }, mail));
  await journal.close();
  return written / SECONDS;
}
