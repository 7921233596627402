import { METRICS, type MetricName } from "../../../src/kit/metrics.ts";
import { BUCKETS } from "../../../src/metrics/meter.ts";
import { code, GENERATED, table } from "./text.ts";

const INTRO = `# Metrics

What \`/metrics\` tells Prometheus, added up over all workers of a machine. It has a door of its own, for an address that only your monitoring reaches:

    listeners:
      - { door: metrics, listen: "127.0.0.1:9109" }

\`consentry top\` shows the same in a terminal. [config/monitoring](../../config/monitoring) has what Prometheus needs, alerts and a dashboard for Grafana.

A label's values come from what consentry has itself (rules, articles of its packs, doors, verdicts), never from a client: there is no address, domain, login or other name in them. One
metric has at most 1,000 label sets in a process; what goes beyond is counted under \`others\`. Figures of a worker that ended are gone with it; a counter that falls is what \`rate()\` expects of a restart.

A histogram is three series: \`_bucket\` (bounds in seconds: ${BUCKETS.join(", ")}), \`_sum\` and \`_count\`. \`worker\` is 0 where there is one process.`;

/** docs/reference/metrics.md */
export function metricsPage(): string {
  const rows = (Object.keys(METRICS) as MetricName[]).map((name) => {
    const { type, labels, help } = METRICS[name];
    return [code(name), type, labels.map(code).join(", "), help];
  });
  return `${[GENERATED, INTRO, table(["name", "type", "labels", "what it counts or measures"], rows)].join("\n\n")}\n`;
}
