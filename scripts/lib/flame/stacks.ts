/** What a V8 profile (`node --cpu-prof`) says of a stretch of time, as one tree of functions with the time each was on the stack. */

/** A function on the stack, below whoever called it. */
export interface Frame {
  readonly name: string;
  /** Whose it is: a folder of src, a package, "node", "V8". */
  readonly room: string;
  /** Itself and what it called, µs. */
  micros: number;
  readonly callees: Map<string, Frame>;
}

/** The part of a .cpuprofile that is read here. Times are µs of the machine's steady clock. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export interface Stacks {
  /** All that was busy. */
  readonly root: Frame;
  /** Busy or not, µs. */
  readonly allMicros: number;
}

type Node = CpuProfile["nodes"][number];

/** V8's own words for nothing to do. */
const IDLE = "(idle)";
const ROOT = "(root)";

/** @param from samples before this moment do not count, µs of the steady clock: while it starts, and warms up */
export function stacksOf({ nodes, startTime, samples, timeDeltas }: CpuProfile, from = 0): Stacks {
  const paths = pathsOf(nodes);
  const root: Frame = { name: "all", room: "", micros: 0, callees: new Map() };
  let now = startTime;
  let allMicros = 0;
  samples.forEach((id, index) => {
    const micros = Math.max(0, timeDeltas[index] ?? 0);
    now += micros;
    if (now < from) return;
    allMicros += micros;
    const path = paths.get(id) ?? [];
    if (path.at(-1)?.callFrame.functionName !== IDLE) addTo(root, path, micros);
  });
  return { root, allMicros };
}

function addTo(root: Frame, path: readonly Node[], micros: number): void {
  let frame = root;
  frame.micros += micros;
  for (const { callFrame } of path) {
    const name = callFrame.functionName || "(anonymous)";
    const room = roomOf(callFrame.url, name);
    const key = `${room} ${name}`;
    const callee = frame.callees.get(key) ?? { name, room, micros: 0, callees: new Map() };
    frame.callees.set(key, callee);
    callee.micros += micros;
    frame = callee;
  }
}

/** From the outermost function to the one that ran, for each node of the profile's tree. */
function pathsOf(nodes: readonly Node[]): Map<number, readonly Node[]> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const paths = new Map<number, readonly Node[]>();
  const open = nodes.filter(({ callFrame }) => callFrame.functionName === ROOT);
  for (const root of open) paths.set(root.id, []);
  for (let node = open.pop(); node; node = open.pop()) {
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (!child) continue;
      paths.set(id, [...(paths.get(node.id) ?? []), child]);
      open.push(child);
    }
  }
  return paths;
}

/** Whose function that is, by where its source lies. */
export function roomOf(url: string, name: string): string {
  if (url.startsWith("node:")) return "node";
  if (url === "") return name.startsWith("(") ? "V8" : "node";
  const packaged = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (packaged) return packaged;
  return /\/src\/([^/]+)\//.exec(url)?.[1] ?? "src";
}
