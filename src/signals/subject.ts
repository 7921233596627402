/**
 * Whose conduct it is that is counted. A client answers for itself wherever it sends from; a stranger is its address (IPv6: its
 * /64, which one host has to itself) and, more patiently, the network around it. The operator's own hosts are not counted.
 */
import { networkOf } from "../kit/ip.ts";
import type { Session } from "../mail/views.ts";

const HOST = { v4: 32, v6: 64 } as const;
const AROUND = { v4: 24, v6: 48 } as const;

export interface Subjects {
  /** "203.0.113.9/32", "2001:db8:0:1::/64", "client:shop". */
  readonly own: string;
  /** "203.0.113.0/24", "2001:db8::/48"; clients have none. */
  readonly around?: string;
}

export const clientSubject = (id: string): string => `client:${id}`;
export const isClientSubject = (subject: string): boolean => subject.startsWith("client:");

const known = new WeakMap<Session, Subjects | null>();

/** Sessions are frozen values: their subjects are worked out once. undefined: nobody is counted. */
export function subjectsOf(session: Session): Subjects | undefined {
  let subjects = known.get(session);
  if (subjects === undefined) {
    subjects = read(session);
    known.set(session, subjects);
  }
  return subjects ?? undefined;
}

function read({ client, inRelayNetworks, clientIp }: Session): Subjects | null {
  if (client) return { own: clientSubject(client.id) };
  if (inRelayNetworks) return null;
  return { own: networkOf(clientIp, HOST), around: networkOf(clientIp, AROUND) };
}
