import type { QueueingHouse } from "./queueing-house.ts";
import type { World } from "./world.ts";

/** One mail, and what must become of it. */
export interface Scenario {
  readonly title: string;
  /** At which door: that of the world, that of clients with shop's login, or there without one; named: a server with DNS of its own; queue: one that takes custody. */
  readonly door: "world" | "named" | "queue" | "clients" | "clients-without-login";
  /** Another client's login than shop's; the password is the same. */
  readonly login?: string;
  readonly swaks: readonly string[];
  /** A Subject that is only known when it is played. */
  readonly subjectOf?: (world: World) => Promise<string>;
  /** How the reply begins, and a piece of it. */
  readonly code: string;
  readonly says: string;
  /** The same where a Postfix is in front and answers this in its own words. */
  readonly throughPostfix?: { readonly code: string; readonly says: string };
  /** The mail must be in this mailbox of example.com afterwards. */
  readonly arrivesFor?: string;
  /** It may take so long until the reply is the expected one, ms; absent: the first counts. */
  readonly patienceMs?: number;
  /** The ledger must say this of it. */
  readonly ledgerSays?: string;
  /** A mail that is sent before it, whatever becomes of that. */
  readonly after?: readonly string[];
  /** What must be so after it. @returns what is not */
  readonly follows?: (
    house: QueueingHouse,
    mail: { readonly id: string; readonly messageId: string },
  ) => Promise<string | undefined>;
  /** What happens before them. */
  readonly before?: (world: World) => Promise<void>;
}

export const ALICE = "alice@example.com";
export const SHOP = "news@shop.example";
export const STRANGER = ["--helo", "host.stranger.example", "--from", "me@stranger.example"];

export const fromShop = (to: string, subject: string): Pick<Scenario, "door" | "swaks"> => ({
  door: "clients",
  swaks: ["--from", SHOP, "--to", to, "--h-Subject", subject],
});
