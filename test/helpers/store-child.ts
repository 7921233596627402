/** A process of its own that uses a store once: `node store-child.ts URL`. Says "works", or why it does not. */
import { systemClock } from "../../src/kit/clock.ts";
import { openStore } from "../../src/stores/open.ts";

const [url = ""] = process.argv.slice(2);
const store = await openStore(url, { dataDir: "", timeoutMs: 3_000, clock: systemClock });
try {
  const rows = Array.from({ length: 100 }, (_, i) => ({ key: { partition: `p${i}`, id: "x" }, value: i }));
  await store.tables.putMany("t", rows);
  const found = await store.tables.getMany(
    "t",
    rows.map(({ key }) => key),
  );
  console.log(found.every((row, i) => row?.value === i) ? "works" : "lost something");
} catch (error) {
  console.log(String(error));
}
await store.close();
