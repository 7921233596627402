import { describe, expect, it } from "vitest";
import { parcelOf } from "../../../src/delivery/parcel.ts";
import type { EditKind, Edits } from "../../../src/doors/milter/edits.ts";
import { applyPlan, createMtaHop } from "../../../src/doors/milter/mta-hop.ts";
import type { HeaderEdit } from "../../../src/mail/edits.ts";
import { type Field, Headers } from "../../../src/mail/headers.ts";
import { contentOf, senderOf, sessionOf } from "../../helpers/letters.ts";

const TEXT = "X-Ad: yes\r\nSubject: sale\r\nX-Ad: no\r\n\r\nbuy\r\n";
const fields = Headers.parse(Buffer.from(TEXT)).fields as readonly [Field, Field, Field];
const EDITS: readonly HeaderEdit[] = [
  { kind: "add", name: "A", value: "1" },
  { kind: "add", name: "B", value: "2" },
  { kind: "remove", field: fields[0] },
  { kind: "replace", field: fields[1], value: "[QC] sale" },
  { kind: "remove", field: fields[2] },
];

async function handOver(granted: readonly EditKind[], edits: readonly HeaderEdit[]) {
  const hop = createMtaHop(new Set(granted));
  const parcel = parcelOf(contentOf(TEXT), Buffer.alloc(0), edits);
  const { replies } = await hop.begin(sessionOf(), senderOf("a@b.example"), "id").data(parcel, Promise.resolve());
  const told: unknown[] = [];
  const tell =
    (what: string) =>
    (...words: unknown[]) =>
      void told.push([what, ...words]);
  const book = { deleteHeader: tell("delete"), changeHeader: tell("change"), insertHeader: tell("insert") };
  applyPlan(hop.plan(), book as unknown as Edits, () => []);
  return { code: replies[0]?.code, told };
}

describe("the MTA as next hop", () => {
  it("is told header changes from the last up, then what is added, topmost last", async () => {
    const { code, told } = await handOver(["changeHeader", "addHeader"], EDITS);
    expect(code).toBe(250);
    expect(told).toEqual([
      ["delete", 2, "X-Ad"],
      ["change", 1, "Subject", "[QC] sale"],
      ["delete", 1, "X-Ad"],
      ["insert", 0, "B", "2"],
      ["insert", 0, "A", "1"],
    ]);
  });

  it.each<[string, EditKind[], number]>([
    ["neither", [], 451],
    ["additions only", ["addHeader"], 451],
    ["changes only", ["changeHeader"], 451],
    ["both", ["addHeader", "changeHeader"], 250],
  ])("that grants %s gets the mail only when every edit can be made", async (_, granted, code) => {
    expect((await handOver(granted, EDITS)).code).toBe(code);
    expect((await handOver(granted, [])).code, "a mail that needs none").toBe(250);
  });
});
