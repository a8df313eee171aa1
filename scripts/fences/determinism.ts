// The rule `drydock/determinism`: in the engine, no time, chance, order or output but the simulation's own.
import type { Context, ESTree } from '@oxlint/plugins';

import { isEngine, placeOf } from './house.ts';

const TIMER = 'take Clock from main/simulation (after, soon, sleep, every)';
const TIME = 'take Clock from main/simulation (now)';
const CHANCE = 'take Random from main/simulation';
const IO = 'declare an interface and let a door pass it in';
const LOCALE = "the host's locale and time zone must not reach the engine";

/** Globals that are out of bounds, and what to take instead. */
const GLOBALS: Readonly<Record<string, string>> = {
  setTimeout: TIMER,
  setInterval: TIMER,
  setImmediate: TIMER,
  clearTimeout: 'dispose what Clock.after returned',
  clearInterval: 'dispose what Clock.after returned',
  clearImmediate: 'dispose what Clock.after returned',
  queueMicrotask: TIMER,
  scheduler: TIMER,
  performance: TIME,
  Temporal: TIME,
  crypto: CHANCE,
  Crypto: CHANCE,
  process: `the engine knows no host process; ${IO}`,
  require: 'use import',
  console: 'the engine prints nothing on the host; write to a virtual terminal, or record a trace',
  fetch: IO,
  WebSocket: IO,
  EventSource: IO,
  XMLHttpRequest: IO,
  BroadcastChannel: IO,
  MessageChannel: TIMER,
  Worker: IO,
  globalThis: 'name what you need, so that the fences see it',
  global: 'name what you need, so that the fences see it',
  eval: 'the engine runs no host code from text',
  WeakRef: 'garbage collection has no place in a deterministic run',
  FinalizationRegistry: 'garbage collection has no place in a deterministic run',
};

/** Properties of globals that are out of bounds. */
const PROPERTIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Date: { now: TIME },
  Math: { random: CHANCE },
  AbortSignal: { timeout: TIMER },
  Atomics: { wait: TIMER, waitAsync: TIMER },
  Intl: { DateTimeFormat: LOCALE, NumberFormat: LOCALE, Collator: LOCALE, RelativeTimeFormat: LOCALE },
};

/** Methods that consult the host's locale or time zone, and what to call instead. */
const METHODS: Readonly<Record<string, string>> = {
  getTimezoneOffset: 'instants are UTC',
  getHours: 'getUTCHours',
  getMinutes: 'getUTCMinutes',
  getSeconds: 'getUTCSeconds',
  getFullYear: 'getUTCFullYear',
  getMonth: 'getUTCMonth',
  setHours: 'setUTCHours',
  setMinutes: 'setUTCMinutes',
  setFullYear: 'setUTCFullYear',
  setMonth: 'setUTCMonth',
  toDateString: 'toISOString',
  toTimeString: 'toISOString',
  toLocaleDateString: 'toISOString',
  toLocaleTimeString: 'toISOString',
  toLocaleString: 'String(…) or toISOString',
  toLocaleLowerCase: 'toLowerCase',
  toLocaleUpperCase: 'toUpperCase',
  localeCompare: 'compare with < and >',
};

export const determinism = {
  create(context: Context) {
    const place = placeOf(context.cwd, context.filename);
    if (place === undefined || !isEngine(place)) return {};

    return {
      'Program:exit'() {
        for (const identifier of globalsUsed(context)) {
          if (identifier.type !== 'Identifier' || isTypeOnly(identifier)) continue;
          const fault = globalFault(identifier.name, identifier.parent);
          if (fault !== undefined) context.report({ node: identifier, message: fault });
        }
      },
      CallExpression(node: ESTree.CallExpression) {
        const { callee } = node;
        if (callee.type !== 'MemberExpression') return;
        const method = propertyName(callee);
        const instead = method === undefined ? undefined : ownEntry(METHODS, method);
        if (instead !== undefined) {
          context.report({
            node: callee.property,
            message: `'${method}' depends on the host's locale or time zone: use ${instead}.`,
          });
        }
      },
    };
  },
};

/** Every mention of a global: those the linter knows by name, and those it can't resolve. */
function globalsUsed(context: Context): ESTree.Node[] {
  const scope = context.sourceCode.scopeManager.globalScope;
  if (scope === null) return [];
  const known = scope.variables.filter((variable) => variable.defs.length === 0);
  return [...known.flatMap((variable) => variable.references), ...scope.through].map(
    ({ identifier }) => identifier,
  );
}

function globalFault(name: string, parent: ESTree.Node): string | undefined {
  const instead = ownEntry(GLOBALS, name);
  if (instead !== undefined) return `'${name}' is out of bounds in the engine: ${instead}.`;
  if (name === 'Date') return dateFault(parent);

  const properties = ownEntry(PROPERTIES, name);
  if (properties === undefined) return undefined;
  if (parent.type === 'VariableDeclarator')
    return `Use '${name}.…' in full, so that the fences see what you take.`;
  return propertyFault(name, properties, parent);
}

function propertyFault(
  name: string,
  properties: Readonly<Record<string, string>>,
  parent: ESTree.Node,
): string | undefined {
  if (parent.type !== 'MemberExpression') return undefined;
  const property = propertyName(parent);
  if (property === undefined) return `Use '${name}.…' in full, so that the fences see what you take.`;
  const instead = ownEntry(properties, property);
  return instead === undefined
    ? undefined
    : `'${name}.${property}' is out of bounds in the engine: ${instead}.`;
}

/** Date may turn a given instant into a calendar date and back; it may not tell the time, nor be handed around. */
function dateFault(parent: ESTree.Node): string | undefined {
  switch (parent.type) {
    case 'NewExpression':
      if (parent.arguments.length === 0) return `'new Date()' is out of bounds in the engine: ${TIME}.`;
      return parent.arguments.length === 1
        ? undefined
        : "'new Date(year, …)' reads the host's time zone: use Date.UTC.";
    case 'MemberExpression':
      return propertyFault('Date', PROPERTIES['Date']!, parent);
    case 'BinaryExpression':
      return undefined; // `value instanceof Date`
    default:
      return `'Date' is out of bounds in the engine unless it is given an instant: ${TIME}.`;
  }
}

function propertyName(node: ESTree.MemberExpression): string | undefined {
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined;
  return node.property.type === 'Literal' && typeof node.property.value === 'string'
    ? node.property.value
    : undefined;
}

/** A name that stands in a type says nothing about what runs. */
function isTypeOnly(identifier: ESTree.Node): boolean {
  const { parent } = identifier;
  return (
    parent === null || /^TS(?!As|Satisfies|NonNull|InstantiationExpression|TypeAssertion)/.test(parent.type)
  );
}

function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
