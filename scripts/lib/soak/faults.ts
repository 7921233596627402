/** What goes wrong around a relay, whatever its store. */
import type { KeepingSink, Mood } from "../../bench/lib/keeping-sink.ts";
import type { RunningDnsServer, Zone } from "../dns/server.ts";
import type { SmallDisk } from "./disk.ts";
import { type Fault, lasting, once } from "./fault.ts";
import type { SoakService } from "./service.ts";

export interface World {
  readonly service: SoakService;
  readonly sink: KeepingSink;
  readonly dns: RunningDnsServer;
  readonly zone: Zone;
  readonly disk: SmallDisk | undefined;
  readonly workers: number;
}

const MOODS: readonly Mood[] = ["defer", "late-defer", "stall", "break", "lost-answer", "late-refuse", "refuse"];
const SILENCE: Zone = new Map([
  ["stranger.example", [{ silence: true }]],
  ["mx.stranger.example", [{ silence: true }]],
  ["1.0.0.127.in-addr.arpa", [{ silence: true }]],
  ["_dmarc.stranger.example", [{ silence: true }]],
]);
const STEPS_MS = [95_000, -95_000, 7_200_000];

export function faultsOfWorld({ service, sink, dns, zone, disk, workers }: World): Fault[] {
  return [
    lasting("the relay is killed (-9)", service.kill, service.up),
    lasting("the relay's first process is killed (-9)", service.killFirst, service.up),
    ...(workers > 1
      ? [once("a worker is killed (-9)", service.killWorker), once("another worker is killed (-9)", service.killWorker)]
      : []),
    lasting("the relay is stopped and started", service.stop, service.up),
    once("the configuration is reloaded", service.reload),
    ...MOODS.map((mood) =>
      lasting(
        `the next hop: ${mood}`,
        () => {
          sink.mood = mood;
        },
        () => {
          sink.mood = "take";
          sink.hangUp();
        },
      ),
    ),
    once("the next hop hangs up", sink.hangUp),
    lasting(
      "DNS is silent",
      () => dns.change({ zone: SILENCE }),
      () => dns.change({ zone }),
    ),
    lasting(
      "DNS is slow",
      () => dns.change({ zone, delayMs: 700 }),
      () => dns.change({ zone }),
    ),
    ...STEPS_MS.map((ms) =>
      lasting(
        `the clock is stepped by ${ms / 1000} s`,
        () => service.stepClock(ms),
        () => service.stepClock(0),
      ),
    ),
    ...(disk ? [lasting("the disk is full", disk.fill, disk.clear)] : []),
  ];
}
