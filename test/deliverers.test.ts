import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { startDeliverers } from "../src/deliverers.ts";
import { createLog } from "../src/kit/log.ts";
import { until } from "./helpers/wait.ts";

const DEAF = fileURLToPath(new URL("./helpers/deaf-deliverer.ts", import.meta.url));

function deaf(silentMs: number) {
  const left: string[] = [];
  const log = createLog("error", "json");
  const onLeft = (id: string): void => void left.push(id);
  const deliverers = startDeliverers({
    count: 1,
    path: "",
    text: "",
    log,
    onLeft,
    silentMs,
    entry: DEAF,
    onFigures: () => undefined,
  });
  onTestFinished(() => deliverers.close(1_000));
  return { deliverers, left };
}

it("a mail that a process says nothing of for too long is taken back, and that process is brought no more", async () => {
  const { deliverers, left } = deaf(200);
  expect(deliverers.bring(["m1"])).toBe(false);
  await until("it is there", () => deliverers.bring(["m1"]));
  await until("the mail is taken back", () => left.length > 0);
  expect(left).toEqual(["m1"]);
  expect(deliverers.bring(["m2"])).toBe(false);
});

it("what a process was brought and had not done with is left when it ends", async () => {
  const { deliverers, left } = deaf(60_000);
  await until("it is there", () => deliverers.bring(["m1"]));
  expect(deliverers.bring(["m2", "m3"])).toBe(true);
  await deliverers.close(1_000);
  expect(left).toEqual(["m1", "m2", "m3"]);
});

it("a process is brought a thousand mails at most", async () => {
  const { deliverers } = deaf(60_000);
  await until("it is there", () => deliverers.bring(["m0"]));
  expect(deliverers.bring(Array.from({ length: 999 }, (_, i) => `m${i + 1}`))).toBe(true);
  expect(deliverers.bring(["m1000"])).toBe(false);
});
