import type { Carrier } from "../queue/queued.ts";

/** A carrier whose configuration may change while mails are under way. */
export interface CarrierSwitch {
  /** Stays the same; asks whichever is in force. */
  readonly carrier: Carrier;
  /** From now on the other one; the old one's attempts may end within `graceMs`. */
  put(next: Carrier, graceMs: number): Promise<void>;
}

export function switchCarrier(first: Carrier): CarrierSwitch {
  let current = first;
  return {
    carrier: {
      destinationOf: (mail, recipient) => current.destinationOf(mail, recipient),
      attempt: (mail, recipients, parcel) => current.attempt(mail, recipients, parcel),
      widthOf: (destination) => current.widthOf?.(destination) ?? Number.POSITIVE_INFINITY,
      close: (graceMs) => current.close(graceMs),
    },
    put(next, graceMs) {
      const old = current;
      current = next;
      return old.close(graceMs);
    },
  };
}
