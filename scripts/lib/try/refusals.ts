/**
 * Recipients say no in three ways, and each time the next advertisement is refused at RCPT. Not with Docker: the page's address and the
 * mailboxes are those of config/examples/start.yaml.
 */
import type { Scenario } from "./scenario.ts";

const UTF8 = ["--h-Content-Type", "text/plain; charset=utf-8"];
const BOB_AT_OFFICE = "bob@office.example";

const sale = (to: string, subject: string): Pick<Scenario, "door" | "swaks"> => ({
  door: "clients",
  swaks: ["--from", "news@shop.example", "--to", to, "--h-Subject", subject],
});

const delivered = (title: string, to: string): Scenario => ({
  title,
  ...sale(to, "AD [QC] Autumn sale"),
  code: "250",
  says: "id ",
  arrivesFor: to.split("@")[0] ?? to,
  before: (world) => world.grant(to),
});

const refusedAfter = (title: string, to: string, before: NonNullable<Scenario["before"]>): Scenario => ({
  title,
  ...sale(to, "AD [QC] Winter sale"),
  code: "550 5.7.1",
  says: "has refused advertising",
  before,
});

export const refusals: readonly Scenario[] = [
  delivered("an advertisement, in which the relay says where to refuse", "carol@example.com"),
  refusedAfter("the next one, after one click on that", "carol@example.com", (world) => world.click("carol")),
  delivered("an advertisement to somebody else", "bob@example.com"),
  {
    title: "he writes to the refusal address it names",
    door: "world",
    swaks: ["--helo", "mx.home.example", "--from", "bob@home.example", "--to", "refuse@example.com"],
    subjectOf: (world) => world.refusalSubject("bob"),
    code: "250",
    says: "recorded",
  },
  refusedAfter("the next one to him", "bob@example.com", async () => undefined),
  delivered("an advertisement to somebody who will answer it", BOB_AT_OFFICE),
  {
    title: "he answers in words of refusal; the shop gets the answer",
    door: "clients",
    login: "desk",
    swaks: [
      ...["--from", BOB_AT_OFFICE, "--to", "news@shop.example", ...UTF8, "--h-Subject", "Re: AD [QC] Autumn sale"],
      ...["--body", "Please stop sending me these emails.\n\n> Autumn sale"],
    ],
    code: "250",
    says: "id ",
    arrivesFor: "news",
  },
  refusedAfter("the next one to him, too", BOB_AT_OFFICE, async () => undefined),
];
