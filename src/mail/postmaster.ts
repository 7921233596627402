import type { Recipient } from "./views.ts";

/** Mail for postmaster is always taken (RFC 5321 4.5.1). @param isLocal is this one of our domains */
export const isPostmaster = ({ address }: Recipient, isLocal: (domain: string) => boolean): boolean =>
  address.local.toLowerCase() === "postmaster" && (address.domain === "" || isLocal(address.domain));
