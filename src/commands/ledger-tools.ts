/** The ledger as a whole for commands: reader, archive and the key that signs, opened on what the configuration says. */
import type { LedgerReader } from "../ledger/query.ts";
import { type Seal, type SealKey, sealKeyOf } from "../ledger/seal.ts";
import type { LedgerPlace } from "../stores/open-ledger.ts";
import type { Ground } from "./ground.ts";

export interface LedgerTools extends Pick<LedgerPlace, "root" | "node" | "work"> {
  readonly reader: LedgerReader;
  readonly key: SealKey;
  /** Seals of this node. */
  sealed(): Promise<readonly Seal[]>;
}

/** The reader is closed with the ground. @throws Unavailable, or Misuse when key or node's name cannot be read */
export async function ledgerTools(ground: Ground): Promise<LedgerTools> {
  const [{ readSealKey }, { ledgerPlace }] = await Promise.all([
    import("../config/seal-key.ts"),
    import("../stores/open-ledger.ts"),
  ]);
  const { root, node, work } = ledgerPlace(ground.config);
  return {
    reader: await ground.reader(),
    key: sealKeyOf(readSealKey(ground.config)),
    root,
    node,
    work,
    async sealed() {
      const { readCatalog } = await import("../stores/duckdb/catalog.ts");
      return (await readCatalog(root, { node })).flatMap(({ volumes }) => volumes.map(({ seal }) => seal));
    },
  };
}
