import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadPacks } from "../../../../src/law/packs.ts";

const PACKS_DIR = join(fileURLToPath(new URL("../../../../", import.meta.url)), "config/packs");
export const PACKS = [...loadPacks(PACKS_DIR).values()];
