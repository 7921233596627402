/** What Prometheus and Grafana are given is held to what consentry tells. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { METRICS, type MetricName } from "../../src/kit/metrics.ts";

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

const alerts: readonly Rule[] = parse(readFileSync("config/monitoring/alerts.yaml", "utf8")).groups.flatMap(
  ({ rules }: { rules: Rule[] }) => rules,
);
const dashboard = JSON.parse(readFileSync("config/monitoring/grafana.json", "utf8"));
const panels: { title: string; targets: { expr: string; legendFormat: string }[] }[] = dashboard.panels;

/** Every expression, and where it stands. */
const expressions: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel ${title}`, expr] as const)),
];

/** A series as the text of /metrics has it: a histogram has three for each name. */
function metricOf(series: string): MetricName | undefined {
  const name = series.replace(/_(?:bucket|sum|count)$/, "") as MetricName;
  if (name in METRICS && METRICS[name].type === "histogram") return series === name ? undefined : name;
  return series in METRICS ? (series as MetricName) : undefined;
}

/** Labels that Prometheus adds itself. */
const GIVEN = ["instance", "job", "le"];

describe("alerts and dashboard", () => {
  it.each(expressions)("%s names only metrics and labels that there are", (_, expr) => {
    const named = [...expr.matchAll(/\b(consentry_[a-z_]+)/g)].map(([, series = ""]) => series);
    expect(named.filter((series) => metricOf(series) === undefined)).toEqual([]);
    const allowed = new Set([...GIVEN, ...named.flatMap((series) => METRICS[metricOf(series) as MetricName].labels)]);
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) =>
      list.split(",").map((each) => each.trim()),
    );
    const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
      [...list.matchAll(/(\w+)\s*(?:=~?|!~?=?)\s*"/g)].map(([, label = ""]) => label),
    );
    expect([...grouped, ...matched].filter((label) => !allowed.has(label))).toEqual([]);
  });

  it("show every metric there is", () => {
    const shown = new Set(
      expressions.flatMap(([, expr]) =>
        [...expr.matchAll(/\b(consentry_[a-z_]+)/g)].map(([, series = ""]) => metricOf(series)),
      ),
    );
    expect((Object.keys(METRICS) as MetricName[]).filter((name) => !shown.has(name))).toEqual([]);
  });

  it("say what is wrong and what to do", () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { annotations } of alerts) {
      expect(annotations.summary.length).toBeGreaterThan(20);
      expect(annotations.description.length).toBeGreaterThan(20);
    }
  });

  it("have panels with numbers of their own and no data source of somebody's machine", () => {
    const ids = dashboard.panels.map(({ id }: { id: number }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const sources = new Set(dashboard.panels.map(({ datasource }: { datasource: { uid: string } }) => datasource.uid));
    expect([...sources]).toEqual([["$", "{datasource}"].join("")]);
  });
});

describe("the catalogue", () => {
  it.each(Object.keys(METRICS) as MetricName[])("%s has a name as Prometheus wants it, and help", (name) => {
    const { type, labels, help } = METRICS[name];
    expect(name).toMatch(/^consentry_[a-z]+(?:_[a-z]+)*$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    if (type === "histogram") expect(name).toMatch(/_seconds$/);
    for (const label of labels) expect(label).toMatch(/^[a-z]+$/);
    expect(help.length).toBeGreaterThan(15);
  });
});
