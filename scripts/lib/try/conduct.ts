import type { Scenario } from "./scenario.ts";

/**
 * What is noticed over many mails (Order 38 art. 12). Each comes from an address of its own, by XCLIENT, which
 * config/examples/start.yaml believes from this machine; what an earlier run left behind is taken back before.
 */
const HARVESTER = "203.0.113.66";
const from = (ip: string, helo = "mx.sender.example"): string[] => ["--xclient", `ADDR=${ip}`, "--helo", helo];
const numbered = (first: number, count: number): string =>
  Array.from({ length: count }, (_, i) => `user${first + i}@example.com`).join(",");

const harvest: readonly Scenario[] = [
  {
    title: "harvest run: addresses counted up, answered later and later",
    door: "world",
    swaks: [...from(HARVESTER), "--from", "a@harvester.example", "--to", numbered(101, 5)],
    code: "550 5.1.1",
    says: "no such mailbox",
    before: (world) => world.unblock(`${HARVESTER}/32`),
  },
  {
    title: "harvest run, going on: turned away, without anybody being asked",
    door: "world",
    swaks: [...from(HARVESTER), "--from", "a@harvester.example", "--to", numbered(106, 3)],
    code: "421 4.7.0",
    says: "too many recipients that do not exist",
  },
  {
    title: "harvest run: a mailbox that exists hears the same",
    door: "world",
    swaks: [...from(HARVESTER), "--from", "a@harvester.example", "--to", "alice@example.com"],
    code: "421 4.7.0",
    says: "too many recipients that do not exist",
  },
  {
    title: "harvest run, still going on: blocked for a time",
    door: "world",
    swaks: [...from(HARVESTER), "--from", "a@harvester.example", "--to", numbered(109, 1)],
    code: "554 5.7.1",
    says: "is refused for a time",
    patienceMs: 20_000,
  },
  {
    title: "its neighbour is not concerned",
    door: "world",
    swaks: [...from("203.0.113.67"), "--from", "a@sender.example", "--to", "alice@example.com"],
    code: "250",
    says: "id ",
    arrivesFor: "alice",
  },
];

const asOffice = (ip: string): Pick<Scenario, "door" | "login" | "swaks"> => ({
  door: "clients",
  login: "office",
  swaks: [...from(ip, "laptop.office.example"), "--from", "li@office.example", "--to", "alice@example.com"],
});

const hijacked: readonly Scenario[] = [
  {
    title: "a login from its own network",
    ...asOffice("198.51.100.7"),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
    before: (world) => world.unblock("client:office"),
  },
  {
    title: "the same login from another network",
    ...asOffice("41.0.0.7"),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
  },
  {
    title: "hijacked login: from a third part of the world, held",
    ...asOffice("177.0.0.7"),
    code: "451 4.7.1",
    says: "this login is on hold",
  },
  {
    title: "hijacked login: from its own network too, until somebody has looked",
    ...asOffice("198.51.100.7"),
    code: "451 4.7.1",
    says: "this login is on hold",
  },
  {
    title: "released by the operator: consentry block remove client:office",
    ...asOffice("198.51.100.7"),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
    patienceMs: 10_000,
    before: (world) => world.unblock("client:office"),
  },
];

const LISTED = "192.0.2.200";

const lists: readonly Scenario[] = [
  {
    title: "list hit: an address of a published blacklist",
    door: "world",
    swaks: [...from(LISTED), "--from", "a@sender.example", "--to", "alice@example.com"],
    code: "554 5.7.1",
    says: "stands on a list",
  },
  {
    title: "postmaster hears it all the same",
    door: "world",
    swaks: [...from(LISTED), "--from", "a@sender.example", "--to", "postmaster@example.com"],
    code: "250",
    says: "id ",
    arrivesFor: "postmaster",
  },
];

export const conduct: readonly Scenario[] = [...harvest, ...hijacked, ...lists];
