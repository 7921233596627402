import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { undoTransfer } from "../../src/mail/mime-transfer.ts";

const MAX = 1_000;
const undo = (body: string, encoding: string, max = MAX) => {
  const { bytes, contradicted } = undoTransfer(Buffer.from(body, "latin1"), encoding, max);
  return { text: bytes.toString("utf8"), contradicted };
};
const b64 = (text: string): string => Buffer.from(text).toString("base64");

describe("base64", () => {
  const cases: [title: string, body: string, text: string][] = [
    ["in lines", `${b64("advertisement").slice(0, 8)}\r\n${b64("advertisement").slice(8)}\r\n`, "advertisement"],
    ["behind empty lines", `\r\n\r\n${b64("广告")}`, "广告"],
    ["in blocks, each padded", `${b64("A")}\r\n${b64("D!")}\r\n`, "AD!"],
    ["with a list's footer behind it", `${b64("text")}\r\n_______\r\nSome list: see there\r\n`, "text"],
    ["cut short", b64("abcdef").slice(0, 6), "abcd"],
  ];
  it.each(cases)("%s", (_, body, text) => expect(undo(body, "base64")).toEqual({ text, contradicted: false }));

  it("a body that plainly is none is taken as it stands", () => {
    expect(undo("Hello, this is text.", "base64")).toEqual({ text: "Hello, this is text.", contradicted: true });
  });
});

describe("quoted-printable", () => {
  const cases: [title: string, body: string, text: string][] = [
    ["in either case", "=E5=b9=bf=E5=91=8A", "广告"],
    ["with soft line breaks", "adver=\r\ntise=  \r\nment=\nnow", "advertisementnow"],
    ["with an equals sign that escapes nothing", "1=1 and a=b", "1=1 and a=b"],
    ["that ends in an equals sign", "end=", "end"],
  ];
  it.each(cases)("%s", (_, body, text) => expect(undo(body, "quoted-printable").text).toBe(text));
});

it("an unknown encoding is none", () => expect(undo("as it is", "x-uuencode").text).toBe("as it is"));

it("whatever the body, the result keeps to its bound", () => {
  const encoding = fc.constantFrom("base64", "quoted-printable", "8bit");
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), encoding, fc.nat(100), (body, name, max) => {
      expect(undoTransfer(Buffer.from(body), name, max).bytes.length).toBeLessThanOrEqual(max);
    }),
  );
});

it("quoted-printable written by the rules comes back as it was", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (body) => {
      const encoded = [...body].map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
      const { bytes } = undoTransfer(Buffer.from(encoded), "quoted-printable", MAX);
      expect([...bytes]).toEqual([...body]);
    }),
  );
});
