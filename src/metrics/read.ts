/** Reads the text that Prometheus reads, for those who look at it themselves. */

/** One line of it. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", "\\": "\\", '"': '"' };

/** What is no sample is left out. */
export function readMetrics(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels = "", number] = LINE.exec(line) ?? [];
    if (name === undefined || number === undefined) return [];
    const value = number === "+Inf" ? Number.POSITIVE_INFINITY : Number(number);
    return Number.isNaN(value) ? [] : [{ name, labels: readLabels(labels), value }];
  });
}

const readLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(LABEL)].map(([, label = "", value = ""]) => [
      label,
      value.replace(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped),
    ]),
  );
