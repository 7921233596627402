import { z } from "zod";
import { count } from "./values.ts";

/** Copies of advertisements (Circular 12/2008 III.2.2). */
export const adArchive = z.strictObject({
  keep: z
    .enum(["packs", "off"])
    .default("packs")
    .describe("packs: mail of advertising services to recipients of whom an enforced pack asks it; off: none"),
  days: count(60, 36_500).describe("days they are kept; no fewer than a pack in force asks for"),
  directory: z.string().min(1).optional().describe("where they lie; default: ads in dataDir"),
  keyFile: z
    .string()
    .optional()
    .describe("32 bytes, also in hexadecimal: the key they are encrypted with (AES-256-GCM); default: made in dataDir"),
});
