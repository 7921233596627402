import { z } from "zod";

/**
 * How sure we are that a requirement says what we read: `doc`: in a founding document; `C1`, `C2`…: confirmed by
 * so many further sources; `RFC`: read in the RFC itself; `DERIVED`: an engineering reading; `GK`: general knowledge.
 * What is GK may only note.
 */
export const confidenceSchema = z.union([
  z.enum(["doc", "RFC", "DERIVED", "GK"]),
  z.templateLiteral(["C", z.number().int().positive()]),
]);
export type Confidence = z.infer<typeof confidenceSchema>;

/** Where a requirement is written. */
export const sourceSchema = z.strictObject({
  /** "Order 38 (CN 2006) art. 13(3)", "RFC 5321 4.1.1.1". ASCII: it is spoken in replies. */
  cite: z.string().regex(/^[\x20-\x7e]{3,80}$/),
  confidence: confidenceSchema,
});
export type Source = z.infer<typeof sourceSchema>;

/** May a rule do more than note on the strength of this source? */
export const mayRefuse = (source: Source): boolean => source.confidence !== "GK";
