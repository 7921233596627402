import { describe, expect, it } from "vitest";
import { createDetection } from "../../src/pipeline/detection.ts";
import { detect } from "../../src/rules/advertising/detect.ts";
import { packOf } from "../helpers/described.ts";
import { shippedModel } from "../helpers/detections.ts";
import { handClock } from "../helpers/hand-clock.ts";
import { settingOf } from "../helpers/settings.ts";

const CN = packOf("cn-2006");
const VN = packOf("vn-2008");

function detectionWith(options: object, more: Partial<Parameters<typeof settingOf>[1]> = {}) {
  const setting = settingOf(detect, { options: detect.options.parse(options), ...more });
  return createDetection({
    setting,
    model: shippedModel(),
    clock: handClock(0),
    onFault: (error) => {
      throw error;
    },
  });
}

describe("what follows from detection", () => {
  it("is what the pack says: rules apply to clients, and strangers' mail is not read", () => {
    const { consequence } = detectionWith({});
    expect([consequence(CN, true), consequence(CN, false)]).toEqual(["apply", "off"]);
  });

  it("is what the operator says of a pack, and of that pack alone", () => {
    const { consequence } = detectionWith({ fromStrangers: { "cn-2006": "hold" }, fromClients: { "vn-2008": "note" } });
    expect([consequence(CN, false), consequence(VN, false)]).toEqual(["hold", "off"]);
    expect([consequence(CN, true), consequence(VN, true)]).toEqual(["apply", "note"]);
  });

  it("is nothing while the rule is off, and no more than a note while it is watched", () => {
    expect(detectionWith({}, { mode: "off" }).consequence(CN, true)).toBe("off");
    expect(detectionWith({}, { mode: "watch" }).consequence(CN, true)).toBe("note");
  });

  it("is another thing for a client of whom the operator says so", () => {
    const clients = new Map([["shop", "off"] as const, ["desk", "watch"] as const]);
    const { consequence } = detectionWith({}, { clients });
    expect(["shop", "desk", "else"].map((client) => consequence(CN, true, client))).toEqual(["off", "note", "apply"]);
  });
});
