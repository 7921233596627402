import { sale } from "./copies.ts";
import { ALICE, type Scenario, STRANGER } from "./scenario.ts";

const UTF8 = ["--h-Content-Type", "text/plain; charset=utf-8"];
const SALE_SUBJECT = "夏季新品全场五折 限时抢购";

const ORDINARY = [
  "Hi Alice,",
  "here are the minutes of Tuesday's meeting. We agreed to move the review to next week because Li is on holiday.",
  "Ann will send the agenda on Friday. Please correct me where I got something wrong.",
  "Bob",
].join("\n");

const fromDesk = (subject: string, body: string): Pick<Scenario, "door" | "login" | "swaks"> => ({
  door: "clients",
  login: "desk",
  swaks: ["--from", "bob@office.example", "--to", ALICE, ...UTF8, "--h-Subject", subject, "--body", body],
});

const saleFromStranger = (to: string, n: number): Pick<Scenario, "door" | "swaks"> => ({
  door: "world",
  swaks: [...STRANGER, "--to", to, ...UTF8, "--h-Subject", SALE_SUBJECT, "--body", sale("顾客", n)],
});

/** Copies before the one that is looked at. */
const COPIES = 199;

/** Mail that says nothing of itself; the start and demo configurations hold what strangers do not declare. */
export const undeclared: readonly Scenario[] = [
  {
    title: "an ordinary mail of an ordinary client",
    ...fromDesk("minutes of Tuesday", ORDINARY),
    code: "250",
    says: "id ",
    arrivesFor: "alice",
  },
  {
    title: "the same client advertises and does not say so",
    ...fromDesk(SALE_SUBJECT, sale("王女士", 1)),
    code: "550 5.7.1",
    says: "the mail reads like advertising",
    ledgerSays: "prices and ordering words",
  },
  {
    title: "a stranger does: the mail is held, which here means that it waits at its sender",
    ...saleFromStranger(ALICE, 2),
    code: "451 4.7.1",
    says: "has to be looked at first",
    ledgerSays: "advertising/detect",
  },
  {
    title: `the same text in ${COPIES} more copies, each with another name, number and link: the next is noticed`,
    ...saleFromStranger("alice+200@example.com", COPIES + 1),
    code: "451 4.7.1",
    says: "has to be looked at first",
    ledgerSays: "same text to ",
    before: (world) => world.copies(COPIES),
  },
];
