/** One advertisement to readers by number, what they agreed to, and the rules that decide whether they may have it. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/kit/clock.ts";
import type { Store } from "../../../src/kit/store.ts";
import { loadPacks } from "../../../src/law/packs.ts";
import { Headers } from "../../../src/mail/headers.ts";
import { parseAddress } from "../../../src/mail/path.ts";
import type { HeaderView, Recipient } from "../../../src/mail/views.ts";
import { createCodeRegister } from "../../../src/registers/codes.ts";
import { createConsentQuotas } from "../../../src/registers/consent-quotas.ts";
import { shareQuestions } from "../../../src/registers/consent-sharing.ts";
import { type Consent, createConsentRegister } from "../../../src/registers/consents.ts";
import { recordedConsent } from "../../../src/rules/consent/recorded-consent.ts";
import { scope } from "../../../src/rules/consent/scope.ts";
import type { Context, Said } from "../../../src/rules/define.ts";

const HOUR_MS = 3_600_000;
const HOUSE = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
const pack = loadPacks(join(HOUSE, "config/packs")).get("vn-2020");
if (!pack) throw new Error("no pack vn-2020");
const packs = [pack];

const nameOf = (index: number): string => `reader${index}@mail${index % 1000}.example`;

/** One of three has agreed to a number and hours, the others only to be written to. */
export const consentOf = (index: number): Consent => ({
  recipient: nameOf(index),
  advertiser: "shop",
  topics: [],
  grantedAtMs: 1_760_000_000_000 + index,
  proof: { how: "web-form", reference: `form ${index}`, textVersion: "2026-01", ip: "192.0.2.7" },
  ...(index % 3 === 0 && { limit: { max: 1_000_000, windowMs: 24 * HOUR_MS }, hours: "00:00-24:00 UTC" }),
});

const headers = Headers.parse(Buffer.from("From: a@shop.example\r\nSubject: [QC] sale\r\n\r\n"));

export function recipientOf(index: number): Recipient {
  const address = parseAddress(nameOf(index));
  if (!address) throw new Error("no address");
  return { address };
}

export const viewOf = (recipients: readonly Recipient[]): HeaderView => ({
  session: {
    id: "s",
    door: "submission",
    role: "submission",
    clientIp: "192.0.2.7",
    clientPort: 1,
    serverIp: "192.0.2.1",
    serverPort: 587,
    inRelayNetworks: false,
    client: { id: "shop", kind: "isp-customer", networks: [], domains: ["shop.example"], disabled: false },
  },
  mailId: "m",
  sender: { address: null, eightBit: false, smtpUtf8: false, requireTls: false },
  recipients,
  headers,
});

/** As much of a context as these rules ask. */
export type Asked = Pick<Context<unknown>, "options" | "clock" | "site" | "packsFor" | "consents" | "quotas" | "codes">;

export const contextOn = (store: Store): Asked => ({
  options: {},
  clock: systemClock,
  site: { hostname: "relay.example.net", isLocal: () => false, isOurId: () => false },
  packsFor: () => packs,
  ...shareQuestions(createConsentRegister(store.tables, systemClock), createConsentQuotas(store.admissions)),
  codes: createCodeRegister(store.tables, systemClock),
});

/** Consent, scope and quota of one mail, by the rules. @returns whether everybody may have it */
export async function decide(context: Asked, view: HeaderView): Promise<boolean> {
  const said = await Promise.all(
    [recordedConsent, scope].map(({ looks }) => looks.header?.(view, context as Context<never>)),
  );
  return said.flatMap((each) => [each as Said].flat()).every((finding) => finding.kind === "pass");
}
