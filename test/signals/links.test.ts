import { expect, it } from "vitest";
import { hostOf } from "../../src/signals/links.ts";

const cases: [link: string, host: string][] = [
  ["https://Shop.Example/a?b", "shop.example"],
  ["http://user:pass@shop.example:8080/", "shop.example"],
  ["//shop.example/a", "shop.example"],
  ["www.shop.example/a", "www.shop.example"],
  ["https://shop.example.", "shop.example"],
  ["mailto:a@b.example", ""],
  ["/buy", ""],
  ["", ""],
  [`https://${"a".repeat(300)}`, "a".repeat(253)],
];
it.each(cases)("%s leads to %s", (link, host) => expect(hostOf(link)).toBe(host));
