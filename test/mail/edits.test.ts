import { describe, expect, it } from "vitest";
import { editHeader, type HeaderEdit } from "../../src/mail/edits.ts";
import { type Field, Headers } from "../../src/mail/headers.ts";

const TEXT =
  "From: a@b.example\r\nX-Ad : yes\r\nSubject: one\r\n two\r\nAuthentication-Results: us\r\nsubject: three\r\n\r\n";
const block = Buffer.from(TEXT);
const named = (name: string): Field[] => Headers.parse(block).fields.filter((field) => field.name === name);
const field = (name: string, nth = 0): Field => named(name)[nth] as Field;
const edited = (...edits: HeaderEdit[]) => editHeader(block, edits);

describe("edits of a header", () => {
  it("take a field out with its continuation lines and leave every other byte", () => {
    const { block: after, fields } = edited({ kind: "remove", field: field("subject") });
    expect(after.toString()).toBe(TEXT.replace("Subject: one\r\n two\r\n", ""));
    expect(fields).toEqual([{ name: "Subject", nth: 1, value: undefined }]);
  });

  it("give a field another value in its place, under the name the mail spells", () => {
    const { block: after, fields } = edited({ kind: "replace", field: field("subject", 1), value: "[QC] three" });
    expect(after.toString()).toBe(TEXT.replace("subject: three", "subject: [QC] three"));
    expect(fields).toEqual([{ name: "subject", nth: 2, value: "[QC] three" }]);
  });

  it("are made top to bottom, whatever their order, and counted as the MTA counts", () => {
    const { block: after, fields } = edited(
      ...named("subject")
        .toReversed()
        .map((each): HeaderEdit => ({ kind: "remove", field: each })),
      { kind: "remove", field: field("x-ad") },
    );
    expect(after.toString()).toBe("From: a@b.example\r\nAuthentication-Results: us\r\n\r\n");
    expect(fields.map(({ name, nth }) => [name, nth])).toEqual([
      ["X-Ad", 1],
      ["Subject", 1],
      ["subject", 2],
    ]);
  });

  it("of one field: the first one asked for counts", () => {
    const { block: after, fields } = edited(
      { kind: "replace", field: field("from"), value: "x@y.example" },
      { kind: "remove", field: field("from") },
    );
    expect(after.toString()).toBe(TEXT.replace("a@b.example", "x@y.example"));
    expect(fields).toHaveLength(1);
  });

  it("add fields apart, in the order asked for", () => {
    const {
      block: after,
      added,
      additions,
    } = edited(
      { kind: "add", name: "Authentication-Results", value: "relay.example;\r\n\tspf=pass" },
      { kind: "add", name: "X-Held", value: "nö" },
    );
    expect(after).toEqual(block);
    expect(added.toString()).toBe("Authentication-Results: relay.example;\r\n\tspf=pass\r\nX-Held: nö\r\n");
    expect(additions.map(({ name }) => name)).toEqual(["Authentication-Results", "X-Held"]);
  });

  it.each([
    ["a line end that folds nothing", "A", "x\r\nBcc: y"],
    ["a bare CR", "A", "x\ry"],
    ["a bare LF", "A", "x\n y"],
    ["NUL", "A", "x\0"],
    ["a colon in the name", "A: b", "x"],
    ["a name that is empty", "", "x"],
  ])("with %s are a bug", (_, name, value) => {
    expect(() => edited({ kind: "add", name, value })).toThrow(TypeError);
  });
});
