import type { Scenario } from "./scenario.ts";

/** Customers who are held to what stands in their record (docs/customers.md). Addresses come by XCLIENT, as in conduct.ts. */
const toAlice = (
  login: string,
  from: string,
  ...more: readonly string[]
): Pick<Scenario, "door" | "login" | "swaks"> => ({
  door: "clients",
  login,
  swaks: ["--from", from, "--to", "alice@example.com", ...more],
});

const fromHost = (ip: string): Pick<Scenario, "door" | "login" | "swaks"> =>
  toAlice("provider", "li@provider.example", "--xclient", `ADDR=${ip}`, "--helo", "mx.provider.example");

const ACCEPTED = { code: "250", says: "id ", arrivesFor: "alice" } as const;
/** A session asks for its client anew every few seconds. */
const PATIENCE_MS = 10_000;

const suspension: readonly Scenario[] = [
  {
    title: "suspended customer: consentry client suspend late --reason … --for 1h",
    ...toAlice("late", "li@late.example"),
    code: "550 5.7.1",
    says: "The reason: complaints of last week",
    patienceMs: PATIENCE_MS,
    before: (world) => world.client("suspend", "late", "--reason", "complaints of last week", "--for", "1h"),
  },
  {
    title: "the same customer after consentry client resume late",
    ...toAlice("late", "li@late.example"),
    ...ACCEPTED,
    patienceMs: PATIENCE_MS,
    before: (world) => world.client("resume", "late"),
  },
];

const addresses: readonly Scenario[] = [
  {
    title: "unregistered address: a mail service from a host that no authority knows",
    ...fromHost("198.51.100.31"),
    code: "550 5.7.1",
    says: "your address is not registered for sending",
  },
  { title: "the same mail service from its registered address", ...fromHost("198.51.100.30"), ...ACCEPTED },
];

const bulk: readonly Scenario[] = [
  {
    title: "unsigned bulk: nothing would prove the domain in From to Gmail or Yahoo",
    ...toAlice("bulk", "news@bulk.example", "--h-Precedence", "bulk"),
    code: "550 5.7.26",
    says: "bulk mail proves the domain in From",
  },
  { title: "the same customer's mail that is no bulk", ...toAlice("bulk", "news@bulk.example"), ...ACCEPTED },
];

export const customers: readonly Scenario[] = [...suspension, ...addresses, ...bulk];
