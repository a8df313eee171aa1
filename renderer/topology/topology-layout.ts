// Where everything stands in the picture. What is there keeps its place; what is new takes the first free one.
import type { Topology, TopologyPod, TopologyService } from '../../preload/contract.ts';

/** Sizes in the picture's own pixels. */
const POD = { width: 176, height: 40 } as const;
const SERVICE = { width: 216, height: 62 } as const;
const GAP = 8;
const MACHINE_GAP = 20;
const SERVICE_GAP = 16;
/** Between the row of Services and the row of machines: room for the edges to turn. */
const ROW_GAP = 44;
const MACHINE_HEAD = 46;
/** Left of the Pods, where the edges come down. */
const MACHINE_LEFT = 30;
const MACHINE_RIGHT = 12;
const MACHINE_BOTTOM = 12;
/** Between columns of Pods: the edges come down here too. */
const COLUMN_GAP = 28;
const PODS_PER_COLUMN = 3;
const COLUMNS_MAX = 6;
const SIDE_BY_SIDE_MAX = 6;

/** The box of Pods that no machine has yet. */
export const NOWHERE = '';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface TopologyLayout {
  /** By name; `NOWHERE` is there while a Pod waits for a machine. */
  readonly machines: ReadonlyMap<string, Box>;
  /** By `namespace/name`, relative to the box of their machine. */
  readonly pods: ReadonlyMap<string, Box & { readonly machine: string }>;
  /** By `namespace/name`. */
  readonly services: ReadonlyMap<string, Box & { readonly slot: number }>;
  readonly width: number;
  readonly height: number;
}

/** What a layout needs to know of the one before, to leave things where they were. */
export interface LayoutMemory {
  readonly pods: ReadonlyMap<string, { readonly machine: string; readonly slot: number }>;
  readonly services: ReadonlyMap<string, number>;
  /** Columns of Pods in each machine: they grow and don't shrink. */
  readonly columns: ReadonlyMap<string, number>;
}

export const NO_MEMORY: LayoutMemory = { pods: new Map(), services: new Map(), columns: new Map() };

export function keyOf({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

export function layoutTopology(
  topology: Topology,
  before: LayoutMemory,
): { layout: TopologyLayout; memory: LayoutMemory } {
  const podSlots = placePods(topology, before);
  const services = placeServices(topology, before);
  const columns = new Map<string, number>();
  const machines = new Map<string, Box>();
  const pods = new Map<string, Box & { machine: string }>();
  const machinesY = topology.services.length === 0 ? 0 : SERVICE.height + ROW_GAP;

  const names = machineNames(topology);
  const rowLength = machinesPerRow(names.length);
  const slotsOf = Map.groupBy(podSlots, ([, { machine }]) => machine);
  let x = 0;
  let y = machinesY;
  let rowHeight = 0;
  names.forEach((machine, index) => {
    if (index > 0 && index % rowLength === 0) {
      x = 0;
      y += rowHeight + MACHINE_GAP;
      rowHeight = 0;
    }
    const slots = slotsOf.get(machine) ?? [];
    const used = Math.max(0, ...slots.map(([, { slot }]) => slot + 1));
    const wide = Math.max(before.columns.get(machine) ?? 1, columnsFor(used));
    const rows = Math.max(1, Math.ceil(used / wide));
    columns.set(machine, wide);
    const box: Box = {
      x,
      y,
      width: MACHINE_LEFT + MACHINE_RIGHT + wide * POD.width + (wide - 1) * COLUMN_GAP,
      height: MACHINE_HEAD + rows * (POD.height + GAP) - GAP + MACHINE_BOTTOM,
    };
    machines.set(machine, box);
    x += box.width + MACHINE_GAP;
    rowHeight = Math.max(rowHeight, box.height);
    for (const [key, { slot }] of slots) {
      pods.set(key, {
        machine,
        x: MACHINE_LEFT + (slot % wide) * (POD.width + COLUMN_GAP),
        y: MACHINE_HEAD + Math.floor(slot / wide) * (POD.height + GAP),
        ...POD,
      });
    }
  });
  const machinesWidth = Math.max(0, ...[...machines.values()].map((box) => box.x + box.width));
  const serviceCount = Math.max(0, ...[...services.values()].map((slot) => slot + 1));
  const servicesWidth = Math.max(0, serviceCount * (SERVICE.width + SERVICE_GAP) - SERVICE_GAP);
  const servicesX = Math.max(0, (machinesWidth - servicesWidth) / 2);
  const serviceBoxes = new Map(
    [...services].map(([key, slot]) => [
      key,
      { slot, x: servicesX + slot * (SERVICE.width + SERVICE_GAP), y: 0, ...SERVICE },
    ]),
  );
  const bottoms = [...machines.values()].map((box) => box.y + box.height);
  return {
    layout: {
      machines,
      pods,
      services: serviceBoxes,
      width: Math.max(machinesWidth, servicesX + servicesWidth),
      height: Math.max(0, ...bottoms),
    },
    memory: { pods: podSlots, services, columns },
  };
}

/** A few machines stand side by side; many in rows, about twice as wide as high. */
function machinesPerRow(count: number): number {
  return count <= SIDE_BY_SIDE_MAX ? SIDE_BY_SIDE_MAX : Math.ceil(Math.sqrt(count * 2));
}

/** One column is easiest to read; many Pods stand in several, so that the box stays about as high as wide. */
function columnsFor(count: number): number {
  return Math.min(COLUMNS_MAX, Math.max(1, Math.ceil(Math.sqrt(count / PODS_PER_COLUMN))));
}

function machineNames({ machines, pods }: Topology): string[] {
  const names = machines.map(({ name }) => name);
  const known = new Set(names);
  return pods.some((pod) => !known.has(pod.node ?? NOWHERE)) ? [...names, NOWHERE] : names;
}

function placePods(topology: Topology, before: LayoutMemory): Map<string, { machine: string; slot: number }> {
  const known = new Set(topology.machines.map(({ name }) => name));
  const placeOf = ({ node }: TopologyPod): string => (node !== undefined && known.has(node) ? node : NOWHERE);
  const places = new Map<string, { machine: string; slot: number }>();
  const taken = new Set<string>();
  const newcomers: TopologyPod[] = [];
  for (const pod of topology.pods) {
    const old = before.pods.get(keyOf(pod));
    if (old === undefined || old.machine !== placeOf(pod)) newcomers.push(pod);
    else {
      places.set(keyOf(pod), old);
      taken.add(`${old.machine} ${old.slot}`);
    }
  }
  for (const pod of newcomers) {
    const machine = placeOf(pod);
    let slot = 0;
    while (taken.has(`${machine} ${slot}`)) slot++;
    taken.add(`${machine} ${slot}`);
    places.set(keyOf(pod), { machine, slot });
  }
  return places;
}

function placeServices(topology: Topology, before: LayoutMemory): Map<string, number> {
  const places = new Map<string, number>();
  for (const service of topology.services) {
    const slot = before.services.get(keyOf(service));
    if (slot !== undefined) places.set(keyOf(service), slot);
  }
  const taken = new Set(places.values());
  let slot = 0;
  for (const service of inOrder(topology)) {
    if (places.has(keyOf(service))) continue;
    while (taken.has(slot)) slot++;
    taken.add(slot);
    places.set(keyOf(service), slot);
  }
  return places;
}

/** Services ordered so that few of their lines cross: by where, on average, what answers for them stands. */
function inOrder(topology: Topology): TopologyService[] {
  const columnOf = new Map(
    topology.machines.flatMap(({ name, address }, index) => [
      [name, index],
      [address, index],
    ]),
  );
  const nodeOf = new Map(topology.pods.map((pod) => [keyOf(pod), pod.node]));
  const centre = ({ endpoints }: TopologyService): number => {
    const columns = endpoints.flatMap(({ pod, address }) => columnOf.get(nodeOf.get(pod) ?? address) ?? []);
    const last = topology.machines.length; // Nothing answers: out of the way.
    return columns.length === 0 ? last : columns.reduce((sum, column) => sum + column, 0) / columns.length;
  };
  return topology.services.toSorted((a, b) => centre(a) - centre(b));
}
