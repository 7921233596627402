import { z } from "zod";
import { CLIENT_KINDS } from "../mail/client.ts";
import { confidenceSchema, sourceSchema } from "./source.ts";

/**
 * One law's requirements as data: config/packs/<id>.yaml. Shared code reads what a pack declares and never asks for a
 * pack or country by name. Every requirement carries its own source, so that a weak fact can only note.
 */

/** As everywhere, with words for whoever writes a pack. */
const sourced = sourceSchema.extend({
  cite: z.string().regex(/^[\x20-\x7e]{3,80}$/, "expected 3 to 80 ASCII characters: it is spoken in replies"),
  confidence: z.union(
    confidenceSchema.options,
    "expected doc, RFC, DERIVED, GK or the number of sources: C1, C2 and so on",
  ),
});
const date = z.iso.date("expected a day: year-month-day");
const days = z.int().positive();

/** What follows when a requirement is missed, by who sent the mail. */
const consequenceSchema = z.enum(["reject", "hold", "note"]);
const onMissingSchema = z.strictObject({
  /** Our own clients: they answer for what they send. */
  clients: consequenceSchema,
  /** Mail from the world to local recipients. */
  strangers: consequenceSchema,
});
/** A missing label can also be put there, in mail of our own clients that nobody has signed yet. */
const labelMissingSchema = z.strictObject({
  clients: z.enum(["reject", "label", "hold", "note"]),
  strangers: consequenceSchema,
});
export type Consequence = z.infer<typeof labelMissingSchema>["clients"];
const ONLY_NOTED = { clients: "note", strangers: "note" } as const;

/**
 * What a management code's form may be made of: letters, digits, classes in brackets, each with a count or without.
 * Nothing that can repeat without a bound, so that matching stays linear whatever a pack says.
 */
const CODE_PATTERN = /^(?:(?:[A-Za-z0-9]|\\d|\[[A-Za-z0-9-]+\])(?:\{[1-9][0-9]?\})?)+$/;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, "v") instanceof RegExp;
  } catch {
    return false;
  }
}

const labelText = z
  .string()
  .max(64)
  .regex(/^\S/, "expected a text that begins with no blank")
  .refine((text) => text.split("{code}").length <= 2, "expected at most one {code}");

const labelSchema = z.strictObject({
  /** Label texts as the law writes them; `{code}` stands for a management code. */
  accept: z.array(labelText).min(1),
  /** Texts of an older rule: noted, not accepted. */
  legacy: z.array(labelText).default([]),
  /** Spellings a writer may take for the label and the law does not name: told to him, not accepted. */
  variants: z.array(labelText).optional(),
  /** Form of a management code, as a regular expression without anchors: letters, digits, [classes], {counts}. */
  codePattern: z
    .string()
    .regex(CODE_PATTERN, "expected letters, digits, [classes] and {counts}, such as [A-Z0-9]{3}1")
    .refine(isPattern, "expected a regular expression")
    .optional(),
  /**
   * `exact`: the Subject begins with the label text, to the letter. `front`: the words stand first, brackets of either
   * world, full width and a separator are the writer's choice.
   */
  position: z.enum(["exact", "front"]),
  onMissing: labelMissingSchema,
  /** The weakest link between the law and this requirement: that there is a label, its text and its place. */
  source: sourced,
});

const consentSchema = z.strictObject({
  /** `opt-in`: only with a recorded yes; `opt-out`: until a recorded no. */
  model: z.enum(["opt-in", "opt-out"]),
  onMissing: onMissingSchema,
  source: sourced,
});

/** What a yes covers binds: kinds of product, number in a period, hours (`registers/consents.ts` keeps them). */
const scopeSchema = z.strictObject({ onMissing: onMissingSchema, source: sourced });

/** A recipient's no. The relay stops at once whatever the law leaves time for. */
const refusalSchema = z.strictObject({
  /** Hours, or business days, that the law leaves to stop; 0: at once; absent: it does not say. */
  stopHours: z.int().min(0).optional(),
  stopBusinessDays: days.optional(),
  /** The refusal is confirmed, once and without advertising. */
  confirmOnce: z.boolean().default(false),
  /** Days within which the confirmation is due, where the law says so. */
  confirmDays: days.optional(),
  /** Ways to refuse that must be offered. */
  channels: z.array(z.enum(["web", "one-click", "email", "phone", "post"])).default([]),
  /** Days a way to refuse goes on working after the mail was sent. */
  validDays: days.optional(),
  /** When a mail comes after the no. */
  onMissing: onMissingSchema,
  /** The article that a sender hears who writes to somebody who refused. */
  source: sourced,
});

/** How many advertisements one advertiser may send to one address. */
const capSchema = z.strictObject({
  max: z.int().positive().max(1_000_000),
  windowHours: z
    .int()
    .positive()
    .max(24 * 366),
  /** `mail`: each counts; `similar`: only those with the same Subject but for labels, digits and signs. */
  of: z.enum(["mail", "similar"]).default("mail"),
  /** A number that the recipient agreed to stands in its place. */
  unlessAgreed: z.boolean(),
  onMissing: onMissingSchema,
  source: sourced,
});
export type Cap = z.infer<typeof capSchema>;

/** Management codes: who needs one, and how long it is good. */
const codesSchema = z.strictObject({
  validYears: z.int().positive().max(100),
  /** A renewal is asked for no later than so many days before the end. */
  renewDaysBefore: z.int().min(0),
  /** A code in a label that is unknown, expired, revoked or somebody else's. */
  onMissing: onMissingSchema,
  source: sourced,
  /** Who advertises for others must hold a published one. */
  service: z.strictObject({ onMissing: onMissingSchema, source: sourced }).optional(),
});

/** Kinds of clients that need a permit or filing before they are connected. */
const licenceSchema = z.strictObject({
  kinds: z.array(z.enum(CLIENT_KINDS)).min(1),
  onMissing: onMissingSchema,
  source: sourced,
});

/** Addresses of mail servers that are registered before they are used, and kinds of clients that must have some. */
const addressesSchema = z.strictObject({
  kinds: z.array(z.enum(CLIENT_KINDS)),
  /** Days between the registration of the first and its use. */
  usableAfterDays: z.int().min(0).max(366),
  /** Days that a change is reported ahead. */
  changeDays: z.int().min(0).max(366),
  onMissing: onMissingSchema,
  source: sourced,
});

/** Bulk mail whose From is proved: signed for a domain aligned with it, or sent as SPF allows. */
const alignmentSchema = z.strictObject({ onMissing: onMissingSchema, source: sourced });

/** Things an advertisement must contain. `refusal-contact`: where to say no; `refusal-block`: that, as the last part. */
export const CONTENT_ITEMS = [
  "refusal-contact",
  "refusal-block",
  "sender-email",
  "advertiser-name",
  "phone",
  "postal-address",
  "web-address",
] as const;

/**
 * `apply`: label and consent are asked for as if the mail had declared itself; `hold`, `note`: no more than that; `off`:
 * nobody looks.
 */
const detectedSchema = z.enum(["apply", "hold", "note", "off"]);
export type DetectedConsequence = z.infer<typeof detectedSchema>;

const contentSchema = z.strictObject({
  item: z.enum(CONTENT_ITEMS),
  /** Languages it must be written in, ISO 639-1; absent: any. */
  languages: z.array(z.string().regex(/^[a-z]{2}$/, "expected two small letters: vi")).optional(),
  /** Days the contact must go on working after the mail was sent. */
  validDays: days.optional(),
  onMissing: onMissingSchema.default(ONLY_NOTED),
  source: sourced,
});

const retentionSchema = z.strictObject({
  /** Days the send and receive record is kept at least. */
  logDays: days.optional(),
  /** Days consents, refusals and confirmations are kept at least. */
  consentDays: days.optional(),
  /** Days the text of an advertisement is kept at least, by who sends it for others. */
  contentDays: days.optional(),
  source: sourced,
});

const articleSchema = z.strictObject({
  /** In our own words. */
  says: z.string().min(1),
  source: sourced,
  /** What a breach costs, in our own words, when known. */
  fine: z.string().optional(),
  /** What holds people to it: rules by id, or means of config/coverage.yaml. */
  enforcedBy: z.array(z.string()).min(1).optional(),
  /** Or why nothing does. */
  notEnforced: z.string().optional(),
});

/** Subjects that must be found labelled, and subjects that must not: run through the matcher by `pack check` and tests. */
const examplesSchema = z.strictObject({
  labelled: z.array(z.string()).default([]),
  unlabelled: z.array(z.string()).default([]),
});

export const packSchema = z.strictObject({
  id: z.string().regex(/^[a-z]{2,4}(-[0-9]{4})?$/, "expected 2 to 4 small letters, and the year of the law: cn-2006"),
  title: z.string().min(1),
  /** Date of the last change to this file. Findings name pack@version. */
  version: date,
  status: z.enum(["in-force", "in-force-unverified", "historic", "draft", "platform"]),
  /** ISO 3166 country, or `-` where there is none. */
  country: z.string().regex(/^([A-Z]{2}|-)$/, "expected the two capital letters of a country, or -"),
  /** First day, and the day from which it no longer holds; absent: not known, or none. */
  inForce: z.strictObject({ from: date.optional(), until: date.optional() }),
  articles: z.array(articleSchema).min(1),
  label: labelSchema.optional(),
  consent: consentSchema.optional(),
  scope: scopeSchema.optional(),
  refusal: refusalSchema.optional(),
  caps: z.array(capSchema).default([]),
  codes: codesSchema.optional(),
  licence: licenceSchema.optional(),
  addresses: addressesSchema.optional(),
  alignment: alignmentSchema.optional(),
  /** What follows when undeclared mail reads like advertising: a guess of ours and no fact of the law. */
  detected: z
    .strictObject({
      /** Our own clients. */
      clients: detectedSchema.default("apply"),
      /** Mail from the world: looked at only where an operator asks for it. */
      strangers: detectedSchema.default("off"),
    })
    .prefault({}),
  contents: z.array(contentSchema).default([]),
  retention: retentionSchema.optional(),
  examples: examplesSchema,
});

export type Pack = z.infer<typeof packSchema>;
export type Label = z.infer<typeof labelSchema>;

/** How findings, entries and replies name a pack. */
export const packName = (pack: Pack): string => `${pack.id}@${pack.version}`;
