/** Labels in words: which would do for everybody in a mail, and who has to be written to apart. */
import { matchLabel } from "../../law/label.ts";
import type { Pack } from "../../law/pack.ts";
import type { Group } from "../groups.ts";

/** Recipients of one group that are named; the others are counted. */
const NAMED_MAX = 5;

const textsOf = (packs: readonly Pack[]): string[] => packs.flatMap((pack) => pack.label?.accept ?? []);

const satisfies =
  (text: string) =>
  ({ packs }: Group): boolean =>
    packs.some(({ label }) => label !== undefined && matchLabel(label, `${text} x`).found);

/** Label texts, without codes, that would do for every group; none: one Subject cannot please them all. */
export const commonLabels = (groups: readonly Group[]): string[] =>
  [...new Set(groups.flatMap(({ packs }) => textsOf(packs)))]
    .filter((text) => !text.includes("{code}"))
    .filter((text) => groups.every(satisfies(text)));

/** ASCII only: a reply cannot say the Chinese label, so its code points are named. */
export const inAscii = (labels: readonly string[]): string =>
  labels
    .map((label) =>
      label.replace("{code}", "CODE").replace(/[^\x20-\x7e]+/g, (text) => `U+${[...text].map(hex).join(" U+")}`),
    )
    .join(" or ");

const hex = (char: string): string => (char.codePointAt(0) ?? 0).toString(16).toUpperCase();

/** Every label these packs take; CODE stands for a management code. */
export const labelsOf = (packs: readonly Pack[]): string => inAscii(textsOf(packs));

/** Who gets which: "[QC] or [AD] to a@x.example; <ADV>  to b@y.example and 7 more". */
export const splitOf = (groups: readonly Group[]): string =>
  groups
    .map(({ packs, recipients }) => {
      const names = recipients.slice(0, NAMED_MAX).map(({ address }) => address.text.replace(/[^\x20-\x7e]+/g, "?"));
      const more = recipients.length > NAMED_MAX ? ` and ${recipients.length - NAMED_MAX} more` : "";
      return `${labelsOf(packs).trim()} to ${names.join(", ")}${more}`;
    })
    .join("; ");
