// The map of the house as the fences see it: which room a file is in, and which rooms it may look into.
import path from 'node:path';

/** The rooms of main/, lowest first; a room imports only from rooms before it. */
const LAYERS = [
  'simulation',
  'storage',
  'network',
  'linux',
  'kubernetes',
  'images',
  'cluster',
  'lab',
  'session',
] as const;

/** The ways in. Each stands on every layer and knows nothing of the others. */
const DOORS = ['desktop', 'browser', 'cli'] as const;

/** Rooms whose behaviour follows from a seed and a list of inputs alone. */
const ENGINE_ROOMS: readonly string[] = ['simulation', 'network', 'linux', 'kubernetes', 'images', 'cluster'];

/** Packages that compute and do nothing else; all that the engine may import. */
export const ENGINE_PACKAGES: readonly string[] = ['@marcbachmann/cel-js', 'ajv', 'dns-packet', 'yaml'];

/** Packages of which the engine may import types, which are gone when it runs. */
export const ENGINE_TYPE_PACKAGES: readonly string[] = [
  '@kubernetes-models/apimachinery',
  'kubernetes-models',
];

/** Modules of Node that compute and do nothing else. node:path differs between hosts, node:path/posix doesn't. */
export const ENGINE_NODE_MODULES: readonly string[] = [
  'assert',
  'assert/strict',
  'buffer',
  'crypto',
  'events',
  'path/posix',
  'querystring',
  'string_decoder',
  'url',
  'util',
  'zlib',
];

/** Packages that need Node, which the renderer has not. */
export const NODE_PACKAGES: readonly string[] = [
  '@kubernetes/client-node',
  '@lydell/node-pty',
  '@peculiar/x509',
  'better-sqlite3',
  'dns-packet',
  'electron',
  'electron-vite',
  'playwright-core',
  'vite',
  'ws',
];

/** Where a file is: its path from the root with forward slashes, its top folder and, in main/, its room. */
export interface Place {
  path: string;
  top: string;
  room: string;
}

/** The place of an absolute path, or undefined outside the root. A file directly in main/ has the room `''`. */
export function placeOf(root: string, file: string): Place | undefined {
  const relative = path.relative(root, file).replaceAll('\\', '/');
  if (relative.startsWith('../') || path.isAbsolute(relative)) return undefined;
  const parts = relative.split('/');
  const inFolder = parts.length > 1;
  return {
    path: relative,
    top: inFolder ? parts[0]! : '',
    room: parts[0] === 'main' && parts.length > 2 ? parts[1]! : '',
  };
}

export function isEngine(place: Place): boolean {
  return place.top === 'main' && ENGINE_ROOMS.includes(place.room);
}

function isDoor(room: string): boolean {
  return (DOORS as readonly string[]).includes(room);
}

function rankOf(room: string): number | undefined {
  const rank = (LAYERS as readonly string[]).indexOf(room);
  if (rank >= 0) return rank;
  return isDoor(room) ? LAYERS.length : undefined;
}

/** Why `from` may not import the file `to`, or undefined where it may. */
export function importFault(from: Place, to: Place): string | undefined {
  if (from.top === 'renderer') {
    if (to.top === 'renderer' || to.path === 'preload/contract.ts') return undefined;
    return `renderer/ sees the engine only through preload/contract.ts, not ${to.path}.`;
  }
  if (from.top === 'preload') {
    return to.top === 'preload'
      ? undefined
      : `preload/ is one self-contained bridge: it may not import ${to.path}.`;
  }
  if (from.top === 'main') return mainImportFault(from, to);
  return undefined;
}

function mainImportFault(from: Place, to: Place): string | undefined {
  if (to.top === 'preload') return contractFault(from, to);
  if (to.top !== 'main') return `main/ may not import ${to.path}: it stands alone.`;
  if (from.room === to.room) return undefined;
  if (to.room === '') return `${to.path} is an entry point: nothing imports it.`;

  const toRank = rankOf(to.room);
  if (toRank === undefined) return `main/${to.room} is not a room of the house (scripts/fences/house.ts).`;
  if (from.room !== '') {
    const fromRank = rankOf(from.room);
    if (fromRank === undefined)
      return `main/${from.room} is not a room of the house (scripts/fences/house.ts).`;
    if (fromRank === toRank)
      return `main/${from.room} and main/${to.room} are separate doors: share through main/session.`;
    if (fromRank < toRank) {
      return `main/${from.room} is below main/${to.room}: declare an interface here and let main/cluster pass the implementation in.`;
    }
  }
  if (to.path.split('/').at(-1) !== 'index.ts') {
    return `${to.path} belongs to main/${to.room}: import what its index.ts (or a sub-room's) exports.`;
  }
  return undefined;
}

function contractFault(from: Place, to: Place): string | undefined {
  if (to.path !== 'preload/contract.ts')
    return `main/ and preload/ share only preload/contract.ts, not ${to.path}.`;
  if (!isEngine(from) && from.room !== 'storage') return undefined;
  return `main/${from.room} knows no screen: preload/contract.ts is for main/lab, main/session and the doors.`;
}

/** Whether this place may import the `electron` package. */
export function mayUseElectron(place: Place): boolean {
  return (
    place.top === 'preload' ||
    place.path === 'main/index.ts' ||
    (place.top === 'main' && place.room === 'desktop')
  );
}
