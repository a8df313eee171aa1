// The rule `drydock/imports`: layers downward only, rooms through their index, electron and Node where they belong.
import { builtinModules } from 'node:module';
import path from 'node:path';

import type { Context, ESTree } from '@oxlint/plugins';

import {
  ENGINE_NODE_MODULES,
  ENGINE_PACKAGES,
  ENGINE_TYPE_PACKAGES,
  importFault,
  isEngine,
  mayUseElectron,
  NODE_PACKAGES,
  placeOf,
  type Place,
} from './house.ts';

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);
const OUR_FOLDERS: readonly string[] = ['main', 'preload', 'renderer', 'test', 'scripts'];

/** Names of node:crypto whose results differ from run to run. */
const RANDOM_CRYPTO =
  /^(?:random|getRandomValues|generate|createDiffieHellman|createECDH|webcrypto|subtle|default$|prng|pseudoRandom)/;

/** What a statement takes from a module: names of values (`default` stands for all of them), or types alone. */
interface Taken {
  names: string[];
  typesOnly: boolean;
}

const EVERYTHING: Taken = { names: ['default'], typesOnly: false };
const TYPES: Taken = { names: [], typesOnly: true };

export const imports = {
  create(context: Context) {
    const from = placeOf(context.cwd, context.filename);
    if (from === undefined || !OUR_FOLDERS.includes(from.top)) return {};

    const check = (source: ESTree.Node | null | undefined, taken: Taken): void => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const message = faultOf(from, context, source.value, taken);
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node: ESTree.ImportDeclaration) => check(node.source, imported(node)),
      ExportNamedDeclaration: (node: ESTree.ExportNamedDeclaration) => check(node.source, reExported(node)),
      ExportAllDeclaration: (node: ESTree.ExportAllDeclaration) =>
        check(node.source, node.exportKind === 'type' ? TYPES : EVERYTHING),
      ImportExpression: (node: ESTree.ImportExpression) => check(node.source, EVERYTHING),
      TSImportType: (node: ESTree.TSImportType) => check(node.source, TYPES),
      CallExpression(node: ESTree.CallExpression) {
        const { callee } = node;
        if (callee.type === 'Identifier' && callee.name === 'require') check(node.arguments[0], EVERYTHING);
      },
    };
  },
};

function imported(node: ESTree.ImportDeclaration): Taken {
  if (node.importKind === 'type') return TYPES;
  const names = node.specifiers.flatMap((specifier) => {
    if (specifier.type !== 'ImportSpecifier') return ['default'];
    return specifier.importKind === 'type' ? [] : [nameOf(specifier.imported)];
  });
  return { names, typesOnly: names.length === 0 && node.specifiers.length > 0 };
}

function reExported(node: ESTree.ExportNamedDeclaration): Taken {
  if (node.exportKind === 'type') return TYPES;
  const values = node.specifiers.filter((specifier) => specifier.exportKind !== 'type');
  return { names: values.map(({ local }) => nameOf(local)), typesOnly: values.length === 0 };
}

function nameOf(node: ESTree.ModuleExportName): string {
  return node.type === 'Literal' ? node.value : node.name;
}

function faultOf(from: Place, context: Context, specifier: string, taken: Taken): string | undefined {
  if (specifier.startsWith('.')) {
    const [file = ''] = specifier.split('?');
    if (!/\.[a-z]+$/.test(file))
      return `Relative imports name the file with its extension: '${specifier}.ts'?`;
    const to = placeOf(context.cwd, path.resolve(path.dirname(context.filename), file));
    return to === undefined ? `${specifier} is outside the house.` : importFault(from, to);
  }
  const builtin = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || BUILTINS.has(builtin)) return builtinFault(from, builtin, taken.names);
  return packageFault(from, packageOf(specifier), taken.typesOnly);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function packageFault(from: Place, name: string, typesOnly: boolean): string | undefined {
  if (from.top === 'renderer' && NODE_PACKAGES.includes(name))
    return `renderer/ has no Node: '${name}' needs it.`;
  if (from.top === 'preload' && name !== 'electron')
    return `preload/ is one self-contained bridge: '${name}' stays out.`;
  if (name === 'electron' && from.top === 'main' && !mayUseElectron(from)) {
    return "'electron' belongs to main/desktop, preload/ and main/index.ts: the engine runs under plain Node.";
  }
  if (
    isEngine(from) &&
    !ENGINE_PACKAGES.includes(name) &&
    !(typesOnly && ENGINE_TYPE_PACKAGES.includes(name))
  ) {
    return `main/${from.room} is the deterministic engine: '${name}' is not among its packages (scripts/fences/house.ts).`;
  }
  return undefined;
}

function builtinFault(from: Place, name: string, names: string[]): string | undefined {
  if (from.top === 'renderer')
    return `renderer/ has no Node: call the session through preload/contract.ts, not '${name}'.`;
  if (from.top === 'preload')
    return `preload/ runs in a sandbox without Node: '${name}' can't be loaded there.`;
  if (!isEngine(from)) return undefined;

  if (!ENGINE_NODE_MODULES.includes(name)) {
    const instead =
      name === 'path' ? "take 'node:path/posix'" : 'declare an interface and let a door pass it in';
    return `main/${from.room} does no real I/O: instead of 'node:${name}', ${instead}.`;
  }
  if (name === 'crypto') {
    const random = names.find((one) => RANDOM_CRYPTO.test(one));
    if (random === 'default')
      return "Import from 'node:crypto' by name, so that its randomness stays out of the engine.";
    if (random !== undefined) return `'${random}' differs from run to run: take Random from main/simulation.`;
  }
  if (name === 'zlib') {
    const asynchronous = names.find((one) => !/Sync$|^constants$|^crc32$/.test(one));
    if (asynchronous !== undefined)
      return `'${asynchronous}' of node:zlib finishes when it likes: take its …Sync form.`;
  }
  return undefined;
}
