import { type Pack, packSchema } from "../../src/law/pack.ts";

interface SmallPack {
  readonly id?: string;
  readonly label?: string;
  /** What follows when the label is missing. */
  readonly labelMissing?: "reject" | "label" | "hold" | "note";
  readonly consent?: "opt-in" | "opt-out";
  readonly consentMissing?: "reject" | "hold" | "note";
  readonly confidence?: "doc" | "GK" | "C2";
  readonly strangers?: "reject" | "hold" | "note";
}

/** A pack of a country that does not exist, so that a test says everything it depends on. */
export function smallPack(said: SmallPack = {}): Pack {
  const source = { cite: `Law ${said.id ?? "xx-2020"} art. 1`, confidence: said.confidence ?? "C2" };
  const strangers = said.strangers ?? "note";
  return packSchema.parse({
    id: said.id ?? "xx-2020",
    title: "A small law",
    version: "2026-01-01",
    status: "in-force",
    country: "XX",
    inForce: {},
    articles: [{ says: "Says it.", source }],
    ...(said.label !== undefined && {
      label: {
        accept: [said.label],
        position: "front",
        onMissing: { clients: said.labelMissing ?? "reject", strangers },
        source,
      },
    }),
    ...(said.consent && {
      consent: { model: said.consent, onMissing: { clients: said.consentMissing ?? "reject", strangers }, source },
    }),
    examples: {},
  });
}
