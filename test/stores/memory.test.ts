import { createMemoryJournal } from "../../src/stores/memory/journal.ts";
import { createMemoryStore } from "../../src/stores/memory/store.ts";
import { journalContract } from "../contract/journal.ts";
import { storeContract } from "../contract/store.ts";
import { handClock } from "../helpers/hand-clock.ts";

storeContract("the memory store", async () => {
  const clock = handClock();
  return { store: createMemoryStore(clock), nowMs: clock.now, pass: clock.pass };
});

journalContract("the memory journal", async () => createMemoryJournal());
