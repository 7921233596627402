import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/ledger/entry.ts";
import { maskAddress, maskEntry, maskText } from "../../src/ledger/masking.ts";

describe("a masked address", () => {
  it.each([
    ["li.wei@example.com", "l***@example.com"],
    ["a@b.example", "a***@b.example"],
    ["người@ví-dụ.vn", "n***@ví-dụ.vn"],
    ["😀x@example.com", "😀***@example.com"],
    ['"odd one@home"@example.com', '"***@example.com'],
    ["", ""],
    ["postmaster", "postmaster"],
  ])("%s is %s", (address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });

  it("is masked wherever it stands in a text", () => {
    expect(maskText("550 <ann@a.example>: no; try bob@b.example, (eve@c.example)")).toBe(
      "550 <a***@a.example>: no; try b***@b.example, (e***@c.example)",
    );
  });
});

describe("a masked entry", () => {
  const entry: Entry = {
    id: "01A",
    at: 1,
    event: "refused",
    sender: "li.wei@example.com",
    recipient: '"odd one"@shop.example',
    login: "office@example.com",
    messageId: "<li.wei.7@example.com>",
    clientIp: "192.0.2.1",
    helo: "pc.example.com",
    reply: '550 5.1.1 <"odd one"@shop.example> unknown; ask help.desk@shop.example',
    evidence: { to: "ann.b@x.example", count: 2, advertiser: "shop" },
    actor: "auditor",
  };

  it("has no local part of any address left in it", () => {
    const text = JSON.stringify(maskEntry(entry));
    for (const part of ["li.wei", "odd one", "office@", "help.desk", "ann.b"]) expect(text).not.toContain(part);
  });

  it("keeps everything else", () => {
    const { sender, recipient, login, messageId, reply, evidence, ...rest } = maskEntry(entry);
    expect({ ...entry, ...rest }).toEqual(entry);
    expect(evidence).toMatchObject({ count: 2, advertiser: "shop" });
    expect(maskEntry({ id: "1", at: 1, event: "looked-up", sender: "" })).toEqual({
      id: "1",
      at: 1,
      event: "looked-up",
      sender: "",
    });
  });
});
