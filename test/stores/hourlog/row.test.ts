import { expect, it } from "vitest";
import type { Entry } from "../../../src/ledger/entry.ts";
import { fromRow, toRow } from "../../../src/stores/hourlog/row.ts";

// On disk rows like these exist: this text must be readable for ever, whatever fields are added.
const ROW =
  '["01K","at",3,null,null,null,null,"","r@local.example",null,0,null,null,null,null,null,null,null,null,null,["~a/b"]]';

it("reads a row written by the first version", () => {
  expect(fromRow(ROW.replace('"at",3', '5,"received"'))).toEqual({
    id: "01K",
    at: 5,
    event: "received",
    sender: "",
    recipient: "r@local.example",
    clientPort: 0,
    rules: ["~a/b"],
  });
});

it("ignores fields that only a later version knows", () => {
  const entry: Entry = { id: "01K", at: 5, event: "received", actor: "somebody" };
  const known = JSON.parse(toRow(entry)) as unknown[];
  const later = [...known, ...Array.from({ length: 100 - known.length }, () => null), "new"];
  expect(fromRow(JSON.stringify(later))).toEqual(entry);
});

it("writes no more than there is", () => {
  expect(toRow({ id: "01K", at: 5, event: "received" })).toBe('["01K",5,"received"]');
});
