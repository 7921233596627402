/** Detectors made up for tests of rules, and the one that ships. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Detected, Detection } from "../../src/signals/detector.ts";
import { loadModel, type Model } from "../../src/signals/model.ts";

/** Every mail gets this score; packs decide what follows. */
export function detectionOf(
  score: number,
  more: Partial<Detected> & Partial<Pick<Detection, "actFrom" | "always" | "consequence">> = {},
): Detection & { readonly asked: number } {
  const { actFrom = 0.8, always = false, consequence, ...detected } = more;
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    actFrom,
    always,
    consequence: consequence ?? ((pack, own) => (own ? pack.detected.clients : pack.detected.strangers)),
    async detect() {
      asked += 1;
      return {
        score,
        unwanted: score,
        reporters: 0,
        copies: { recipients: 1, senders: 1, networks: 1 },
        evidence: () => ["prices and ordering words", "links 1 to 1 host"],
        ...detected,
      };
    },
  };
}

let shipped: Model | undefined;

/** The model that ships. */
export function shippedModel(): Model {
  shipped ??= loadModel(readFileSync(join(import.meta.dirname, "../../config/models/advertising.bin")));
  return shipped;
}

/** Plainly an advertisement, in Chinese; `name` and `n` differ from copy to copy. */
export const sale = (name = "李先生", n = 1): string =>
  [
    `尊敬的${name}：`,
    `夏季新品隆重上市，全场五折优惠，限时抢购！原价 399 元，现价仅 ${190 + (n % 10)} 元，包邮到家，名额有限，先到先得。`,
    `立即订购请致电 400-800-${1000 + n} 或加微信咨询，欢迎选购。订单号 ${n * 7919}`,
    `https://shop.example/sale?r=${n.toString(36)}x${n * 31}`,
    "",
  ].join("\n");

/** Plainly none. */
export const minutes = (): string =>
  [
    "Hi all,",
    "",
    "here are the minutes of Tuesday's meeting. We agreed to move the review of the parser to next week because Li is on",
    "holiday; Ann will send the agenda on Friday. Please correct me where I got something wrong.",
    "",
    "Bob",
    "",
  ].join("\n");
