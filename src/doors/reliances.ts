/**
 * Mail that rests on people's word, which they may take back while it is on its way: it is announced (registers/flights.ts), the word is
 * asked for once more, and only then handed over. Other mail pays nothing for it.
 */
import type { Parcel } from "../delivery/next-hop.ts";
import type { Recipient, Reliance } from "../mail/views.ts";
import type { Verdict } from "../pipeline/verdict.ts";
import type { Flight } from "../registers/flights.ts";
import type { IntakeParts } from "./course.ts";

/** On whose word this mail rests for those who are to get it. */
export function reliancesOf({ spoken }: Verdict, taken: readonly Recipient[]): readonly Reliance[] {
  if (!spoken.some(({ finding }) => finding.reliance)) return NONE;
  const found = new Map<string, { advertiser: string; packs: readonly string[]; recipients: Set<Recipient> }>();
  for (const { mode, finding } of spoken) {
    if (mode !== "enforce" || !finding.reliance) continue;
    const { advertiser, packs, recipients } = finding.reliance;
    const key = [advertiser, ...packs].join(" ");
    const known = found.get(key) ?? { advertiser, packs, recipients: new Set<Recipient>() };
    for (const recipient of recipients) if (taken.includes(recipient)) known.recipients.add(recipient);
    if (known.recipients.size > 0) found.set(key, known);
  }
  return [...found.values()].map((each) => ({ ...each, recipients: [...each.recipients] }));
}

const NONE: readonly Reliance[] = [];

/** A mail that refusals wait for. */
export interface Aloft {
  readonly advertiser: string | undefined;
  /** To be called last before the final dot. @throws Unavailable when it took too long */
  confirm(): void;
  /** It is in the next hop's hands, or never will be. */
  end(): void;
}

/** From here on refusals wait for this mail. @throws Unavailable */
export async function takeOff(
  { flights }: Pick<IntakeParts, "flights">,
  reliances: readonly Reliance[],
  mailId: string,
): Promise<Aloft> {
  const flying: Flight[] = [];
  const end = (): void => {
    for (const flight of flying) void flight.end();
  };
  try {
    for (const [index, { advertiser, recipients }] of reliances.entries()) {
      const keys = recipients.map(({ address }) => address.key);
      const flight = await flights?.begin(advertiser, keys, `${mailId}.${index}`);
      if (flight) flying.push(flight);
    }
  } catch (error) {
    end();
    throw error;
  }
  return {
    advertiser: reliances[0]?.advertiser,
    confirm: () => {
      for (const flight of flying) flight.confirm();
    },
    end,
  };
}

/** The parcel of a mail that refusals wait for: its end is not read when that took too long. */
export function guarded(parcel: Parcel, { advertiser, confirm }: Aloft): Parcel {
  return {
    ...parcel,
    ...(advertiser !== undefined && { advertiser }),
    async *read() {
      yield* parcel.read();
      confirm();
    },
  };
}
