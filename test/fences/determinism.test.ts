// The fence around time and chance: what the engine may not touch, and the message that names the replacement.
import { afterAll, describe, expect, test } from 'vitest';

import { Fixture } from './fixture.ts';

const CLOCK = 'take Clock from main/simulation';
const RANDOM = 'take Random from main/simulation';

const REFUSED: [code: string, message: string][] = [
  ['export const x = Date.now();', CLOCK],
  ["export const x = Date['now']();", CLOCK],
  ['export const x = Date.now;', CLOCK],
  ['export const x = new Date();', CLOCK],
  ['export const x = Date();', CLOCK],
  ['export const x = new Date(2026, 1);', 'use Date.UTC'],
  ['const { now } = Date;\nexport const x = now();', CLOCK],
  ['export const x = performance.now();', CLOCK],
  ['export const x = setTimeout(() => {}, 1);', CLOCK],
  ['export const x = setInterval(() => {}, 1);', CLOCK],
  ['export const x = setImmediate(() => {});', CLOCK],
  ['queueMicrotask(() => {});', CLOCK],
  ['export const x = AbortSignal.timeout(5);', CLOCK],
  ['process.nextTick(() => {});', 'the engine knows no host process'],
  ['export const x = process.hrtime();', 'the engine knows no host process'],
  ['export const x = Math.random();', RANDOM],
  ["export const x = Math['random']();", RANDOM],
  ['const { random } = Math;\nexport const x = random();', "Use 'Math.…' in full"],
  ['export const x = (key: keyof Math) => Math[key];', "Use 'Math.…' in full"],
  ['export const x = crypto.randomUUID();', RANDOM],
  ['export const x = crypto.getRandomValues(new Uint8Array(1));', RANDOM],
  ['export const x = globalThis.setTimeout;', 'so that the fences see it'],
  ["export const x = fetch('http://a');", 'let a door pass it in'],
  ["console.log('a');", 'the engine prints nothing on the host'],
  ['export const x = new WeakRef({});', 'garbage collection has no place'],
  ['export const x = new Date(5).getHours();', 'use getUTCHours'],
  ["export const x = 'a'.localeCompare('b');", 'compare with < and >'],
  ["export const x = new Intl.DateTimeFormat('en');", "the host's locale"],
];

const ALLOWED: string[] = [
  'export const x = new Date(5).toISOString();',
  "export const x = Date.parse('2026-01-01T00:00:00Z');",
  'export const x = Date.UTC(2026, 0);',
  'export const x = (value: unknown) => value instanceof Date;',
  'export const x = (value: Date): Date => value;',
  'export const x = Math.floor(1.5);',
  'export function x(setTimeout: () => void): void { setTimeout(); }',
  'export const x = (process: { pid: number }) => process.pid;',
  'export interface Crypto { process: number }\nexport const x = (c: Crypto) => c.process;',
  'export const x = AbortSignal.abort();',
  'export const x = structuredClone({ a: 1 });',
];

const ENGINE_ROOMS = ['simulation', 'network', 'linux', 'kubernetes', 'images', 'cluster'];
const FREE_FILES = [
  'main/storage/a.ts',
  'main/session/a.ts',
  'main/cli/a.ts',
  'main/lab/a.ts',
  'scripts/a.ts',
];
const CLOCK_READER = '// Case.\nexport const x = Date.now();\n';

const fixture = new Fixture({
  ...Object.fromEntries(
    REFUSED.map(([code], index) => [`main/linux/refused-${index}.ts`, `// Case.\n${code}\n`]),
  ),
  ...Object.fromEntries(
    ALLOWED.map((code, index) => [`main/linux/allowed-${index}.ts`, `// Case.\n${code}\n`]),
  ),
  ...Object.fromEntries(ENGINE_ROOMS.map((room) => [`main/${room}/deep/reader.ts`, CLOCK_READER])),
  ...Object.fromEntries(FREE_FILES.map((file) => [file, CLOCK_READER])),
});
afterAll(() => fixture[Symbol.dispose]());
const faults = fixture.lint();

function determinismFaults(file: string): string[] {
  return (faults.get(file) ?? []).filter((fault) => fault.startsWith('drydock(determinism)'));
}

describe('the engine is refused', () => {
  for (const [index, [code, message]] of REFUSED.entries()) {
    test(code.replaceAll('\n', ' '), () => {
      expect(determinismFaults(`main/linux/refused-${index}.ts`)).toEqual([expect.stringContaining(message)]);
    });
  }
});

describe('the engine may write', () => {
  for (const [index, code] of ALLOWED.entries()) {
    test(code.replaceAll('\n', ' '), () =>
      expect(determinismFaults(`main/linux/allowed-${index}.ts`)).toEqual([]),
    );
  }
});

test.each(ENGINE_ROOMS)('main/%s is fenced', (room) => {
  expect(determinismFaults(`main/${room}/deep/reader.ts`)).toHaveLength(1);
});

test.each(FREE_FILES)('%s may tell the time', (file) => {
  expect(determinismFaults(file)).toEqual([]);
});
