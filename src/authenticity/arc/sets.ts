import type { Field, Headers } from "../../mail/headers.ts";
import { readTags, type Tags } from "../dkim/tags.ts";

/** One station's three fields (RFC 8617 4.2). */
export interface ArcSet {
  readonly instance: number;
  readonly results: Field;
  readonly message: Field;
  readonly seal: Field;
  readonly sealTags: Tags;
}

/** RFC 8617 4.2.1. */
export const INSTANCES_MAX = 50;

const PARTS = {
  "arc-authentication-results": "results",
  "arc-message-signature": "message",
  "arc-seal": "seal",
} as const;
type Part = (typeof PARTS)[keyof typeof PARTS];
const isPart = (name: string): name is keyof typeof PARTS => name in PARTS;

/** The sets of a mail, first station first; or why they are no chain. An empty list: no ARC at all. */
export function readSets({ fields }: Headers): readonly ArcSet[] | { readonly because: string } {
  const found = new Map<number, Partial<Record<Part, Field>> & { sealTags?: Tags }>();
  for (const field of fields) {
    if (!isPart(field.name)) continue;
    const part = PARTS[field.name];
    const tags = part === "results" ? undefined : readTags(field.value);
    const instance = part === "results" ? resultsInstance(field.value) : instanceOf(tags);
    if (instance === undefined) return { because: `a ${field.name} without a proper i=` };
    const set = found.get(instance) ?? {};
    if (set[part]) return { because: `two ${field.name} with i=${instance}` };
    found.set(instance, { ...set, [part]: field, ...(part === "seal" && tags && { sealTags: tags }) });
  }
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= found.size; instance += 1) {
    const { results, message, seal, sealTags } = found.get(instance) ?? {};
    if (!results || !message || !seal || !sealTags) return { because: `set ${instance} is not whole` };
    sets.push({ instance, results, message, seal, sealTags });
  }
  return sets;
}

const instanceOf = (tags: Tags | undefined): number | undefined => instanceIn(tags?.get("i") ?? "");

function instanceIn(text: string): number | undefined {
  const instance = /^[1-9]\d?$/.test(text) ? Number(text) : 0;
  return instance > 0 && instance <= INSTANCES_MAX ? instance : undefined;
}

/** "i=2; our.name; spf=pass …" */
const resultsInstance = (value: string): number | undefined =>
  instanceIn(/^[ \t]*i[ \t]*=[ \t]*(\d+)[ \t]*;/i.exec(value)?.[1] ?? "");

/** What a station wrote about the mail it got: everything behind its i=. */
export const resultsOf = ({ results }: ArcSet): string => results.value.slice(results.value.indexOf(";") + 1).trim();
