/** A flame graph as an SVG that any browser shows: who called stands below, and width is time. */
import type { Frame, Stacks } from "./stacks.ts";

const WIDTH = 1_200;
const ROW = 17;
const HEAD = 44;
const FOOT = 26;
/** Narrower frames would be a line without a name. */
const NARROWEST = 1.5;
const LETTER = 6.4;

/** One colour for each floor of the house; all packages have one, too. */
const COLOURS: Readonly<Record<string, string>> = {
  node: "#c9ccd1",
  V8: "#e7b0b0",
  doors: "#f2b562",
  rules: "#8fc98b",
  pipeline: "#b7dba0",
  law: "#cfe5a8",
  ledger: "#7fb3e0",
  stores: "#9cc7ee",
  delivery: "#e8d06a",
  mail: "#d9b3e6",
  authenticity: "#b79be0",
  signals: "#a5d8c8",
  registers: "#8fd0d8",
  kit: "#dccbb5",
  metrics: "#e3bfa0",
};
const OTHER_ROOM = "#d8d8b8";
const PACKAGE = "#e0e0e0";

export interface Drawing {
  readonly title: string;
  readonly rooms: readonly string[];
}

/** The whole picture, as text. */
export function drawFlames({ root, allMicros }: Stacks, { title, rooms }: Drawing): string {
  const boxes: string[] = [];
  const scale = WIDTH / Math.max(1, root.micros);
  const depth = deepest(root, scale);
  const height = HEAD + depth * ROW + FOOT;
  const colourOf = (room: string): string => COLOURS[room] ?? (rooms.includes(room) ? OTHER_ROOM : PACKAGE);
  const place = (frame: Frame, from: number, level: number): void => {
    const width = frame.micros * scale;
    if (width < NARROWEST) return;
    if (level > 0) boxes.push(box(frame, { from, width, y: height - FOOT - level * ROW, all: root.micros, colourOf }));
    let at = from;
    for (const callee of sorted(frame)) {
      place(callee, at, level + 1);
      at += callee.micros * scale;
    }
  };
  place(root, 0, 0);
  const busy = Math.round((100 * root.micros) / Math.max(1, allMicros));
  const seen = [...roomsIn(root, scale)].filter((room) => room in COLOURS);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="11">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    `<text x="8" y="17" font-size="13">${escaped(title)}</text>`,
    `<text x="8" y="34">${escaped(`busy ${busy} % of the time; what runs in an await's continuation stands beside who began it, not on it`)}</text>`,
    ...boxes,
    ...legend(seen, height - 8),
    "</svg>",
    "",
  ].join("\n");
}

interface Spot {
  readonly from: number;
  readonly width: number;
  readonly y: number;
  readonly all: number;
  colourOf(room: string): string;
}

function box({ name, room, micros }: Frame, { from, width, y, all, colourOf }: Spot): string {
  const share = ((100 * micros) / all).toFixed(1);
  const letters = Math.floor((width - 4) / LETTER);
  const text = letters < 3 ? "" : name.length <= letters ? name : `${name.slice(0, letters - 1)}…`;
  const at = `x="${from.toFixed(1)}" y="${y}"`;
  return [
    `<g><title>${escaped(`${name} (${room}): ${share} %`)}</title>`,
    `<rect ${at} width="${Math.max(1, width - 0.5).toFixed(1)}" height="${ROW - 1}" fill="${colourOf(room)}"/>`,
    text && `<text x="${(from + 2).toFixed(1)}" y="${y + 12}">${escaped(text)}</text>`,
    "</g>",
  ].join("");
}

function legend(rooms: readonly string[], y: number): string[] {
  let x = 8;
  return rooms.map((room) => {
    const at = x;
    x += room.length * LETTER + 28;
    return `<rect x="${at}" y="${y - 10}" width="11" height="11" fill="${COLOURS[room]}"/><text x="${at + 15}" y="${y}">${escaped(room)}</text>`;
  });
}

const sorted = ({ callees }: Frame): Frame[] => [...callees.values()].sort((a, b) => b.micros - a.micros);
const drawn = (frame: Frame, scale: number): Frame[] =>
  [...frame.callees.values()].filter(({ micros }) => micros * scale >= NARROWEST);
const deepest = (frame: Frame, scale: number): number =>
  Math.max(0, ...drawn(frame, scale).map((callee) => 1 + deepest(callee, scale)));

function roomsIn(frame: Frame, scale: number, found = new Set<string>()): Set<string> {
  for (const callee of drawn(frame, scale)) {
    found.add(callee.room);
    roomsIn(callee, scale, found);
  }
  return found;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
