/** What the register of clients keeps, and what it refuses to. */
import { z } from "zod";
import { isIpRange } from "../kit/ip.ts";
import { Misuse } from "../kit/trouble.ts";
import { CLIENT_KINDS, type Client } from "../mail/client.ts";

const range = z.string().refine(isIpRange, "an IP address or CIDR range");
const day = z.iso.date("a day: 2026-11-22");
const moment = z.number().positive();

const addressSchema = z
  .strictObject({
    network: range,
    use: z.enum(["source", "egress"]),
    authority: z.string().min(2, "who registered it").max(200),
    registeredOn: day,
    change: z.boolean().optional(),
    endsOn: day.optional(),
  })
  .refine(
    ({ use, network }) => use === "source" || !network.includes("/"),
    "mail leaves by an address: one for each, no range",
  );

const SENDER = /^[^@\s]{0,64}@[a-z0-9.-]+$/;

const campaignSchema = z
  .strictObject({
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, "lower case letters, digits and . _ -, at most 64"),
    senders: z.array(z.string().regex(SENDER, "an address, or @domain")).min(1, "at least one sender").max(100),
    helo: z.array(z.string().regex(/^[a-z0-9.:[\]-]{1,255}$/, "a host name in lower case")).max(100),
    networks: z.array(range).max(1_000),
    recipientsMax: z.int().positive(),
    perMinuteMax: z.int().positive().optional(),
    fromMs: moment,
    untilMs: moment,
  })
  .refine(({ fromMs, untilMs }) => untilMs > fromMs, "it ends before it begins");

const clientSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._@-]{0,99}$/, "lower case letters, digits and . _ @ -, at most 100"),
  kind: z.enum(CLIENT_KINDS),
  networks: z.array(range),
  domains: z.array(z.string().min(1)),
  licence: z.string().optional(),
  licensedOn: day.optional(),
  licensedUntil: day.optional(),
  code: z.string().optional(),
  packs: z.array(z.string()).optional(),
  addresses: z.array(addressSchema).max(1_000, "at most 1,000").optional(),
  campaigns: z.array(campaignSchema).max(50, "at most 50").optional(),
  suspended: z
    .strictObject({
      reason: z.string().regex(/^[\x20-\x7e]{1,120}$/, "1 to 120 ASCII characters: the client hears it"),
      fromMs: moment,
      untilMs: moment,
      by: z.string().min(1).max(200),
    })
    .optional(),
  ratePerMinute: z.int().positive().optional(),
  ratePerHour: z.int().positive().optional(),
  ratePerDay: z.int().positive().optional(),
  verp: z.boolean().optional(),
  disabled: z.boolean(),
});

export const recordSchema = z.strictObject({ ...clientSchema.shape, passwordHash: z.string().optional() });
export type ClientRecord = z.infer<typeof recordSchema>;

/** @throws Misuse naming every field that is wrong */
export function checkClient(client: Client): Client {
  const result = clientSchema.safeParse(client);
  if (result.success) return result.data as Client;
  throw new Misuse(
    "this client cannot be recorded:",
    result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`),
  );
}

export const publicPart = ({ passwordHash: _, ...client }: ClientRecord): Client => Object.freeze(client as Client);
