import { describe, expect, it } from "vitest";
import { parseTalk } from "../helpers/talk.ts";

const talk = (...lines: readonly string[]): string =>
  ["# A title", "", "Prose that says why.", "", ...lines].join("\n");
const CLIENT = "client 203.0.113.9 greets mx.sender.example";

describe("the format of talks", () => {
  it("is read as test/talks/README.md describes it", () => {
    const read = parseTalk(
      talk(
        "given client shop: advertiser, domains shop.example *.x.example, networks 198.51.100.0/24, password sesame",
        "given ann@example.com agreed to shop",
        "given ben@example.com refused shop",
        "given config",
        '  rules: { "relay/anonymous": watch }',
        "not through postfix, sendmail: they answer it themselves",
        "",
        "client 2001:db8::9 greets [IPv6:2001:db8::9], logs in as shop with sesame, on submission",
        "  235",
        "MAIL <> SIZE=1",
        "  550 5.7.1 one / two",
        "SAY VRFY ann",
        "  252",
        "CONTENT",
        "> Subject: \\xB9\\xE3 \\\\ 广",
        "2> X: y",
        ">",
        "  250",
        "ledger refused - by a/b, ~c/d citing Law art. 1, RFC 5321 4.1",
        "delivered ann@example.com, ben@example.com",
        "arrives with Subject: x",
        "arrives without X-Ad",
      ),
    );
    expect(read).toMatchObject({
      title: "A title",
      clients: [
        { password: "sesame", client: { id: "shop", kind: "advertiser", domains: ["shop.example", "*.x.example"] } },
      ],
      consents: [
        { recipient: "ann@example.com", advertiser: "shop", refused: false },
        { recipient: "ben@example.com", advertiser: "shop", refused: true },
      ],
      config: { rules: { "relay/anonymous": "watch" } },
      ledger: [{ event: "refused", recipient: "-", rules: ["a/b", "~c/d"], articles: ["Law art. 1", "RFC 5321 4.1"] }],
      delivered: ["ann@example.com", "ben@example.com"],
      arrivesWith: ["Subject: x"],
      arrivesWithout: ["X-Ad"],
    });
    expect(Object.fromEntries(read.skips)).toEqual({
      postfix: "they answer it themselves",
      sendmail: "they answer it themselves",
    });
    expect(read.steps).toMatchObject([
      {
        kind: "client",
        ip: "2001:db8::9",
        helo: "[IPv6:2001:db8::9]",
        login: "shop",
        password: "sesame",
        port: "submission",
      },
      {
        kind: "say",
        command: "MAIL FROM:<> SIZE=1",
        expected: { code: 550, enhanced: "5.7.1", fragments: ["one", "two"] },
      },
      { kind: "say", command: "VRFY ann", expected: { code: 252 } },
      { kind: "content", lines: ["Subject: \xb9\xe3 \\ \xe5\xb9\xbf", "X: y", "X: y", ""] },
    ]);
  });

  it.each([
    ["no title", CLIENT, /line 1: .*title/],
    ["a line of no kind", talk(CLIENT, "HELLO"), /line 6: cannot be read: HELLO/],
    ["nothing that must be heard", talk(CLIENT, "MAIL <>", "delivered nobody"), /line 6: what must be heard/],
    ["two expectations", talk(CLIENT, "MAIL <>", "  250", "  250", "delivered nobody"), /line 8: one expectation/],
    ["an expectation of nothing", talk("  250"), /line 5: nothing was said/],
    ["content without CONTENT", talk(CLIENT, "> x"), /line 6: content stands below CONTENT/],
    ["no word on delivery", talk(CLIENT), /who has the mail/],
    ["two words on delivery", talk(CLIENT, "delivered nobody", "delivered nobody"), /line 7: one delivered/],
    ["nobody there", talk("delivered nobody"), /begins with a client/],
    ["a kind of client that does not exist", talk("given client x: pirate"), /line 5: no kind of client/],
    ["a property that clients have not", talk("given client x: person, ships 3"), /line 5: clients have no ships/],
    ["what clients do not do", talk(`${CLIENT}, sings`), /line 5: clients do not sings/],
  ])("%s is an error that names the line", (_, text, complaint) => {
    expect(() => parseTalk(text)).toThrow(complaint);
  });
});
