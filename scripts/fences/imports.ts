// The rule `drydock/imports`: layers downward only, rooms through their index, electron and Node where they belong.
import { builtinModules } from 'node:module';
import path from 'node:path';

import type { Context, ESTree } from '@oxlint/plugins';

import {
  ENGINE_NODE_MODULES,
  ENGINE_PACKAGES,
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

export const imports = {
  create(context: Context) {
    const from = placeOf(context.cwd, context.filename);
    if (from === undefined || !OUR_FOLDERS.includes(from.top)) return {};

    const check = (source: ESTree.Node | null | undefined, names: string[]): void => {
      if (source?.type !== 'Literal' || typeof source.value !== 'string') return;
      const message = faultOf(from, context, source.value, names);
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node: ESTree.ImportDeclaration) => check(node.source, importedNames(node)),
      ExportNamedDeclaration: (node: ESTree.ExportNamedDeclaration) => check(node.source, []),
      ExportAllDeclaration: (node: ESTree.ExportAllDeclaration) => check(node.source, ['default']),
      ImportExpression: (node: ESTree.ImportExpression) => check(node.source, ['default']),
      TSImportType: (node: ESTree.TSImportType) => check(node.source, []),
      CallExpression(node: ESTree.CallExpression) {
        const { callee } = node;
        if (callee.type === 'Identifier' && callee.name === 'require') check(node.arguments[0], ['default']);
      },
    };
  },
};

/** What an import declaration takes; a namespace or default import counts as `default`, taking everything. */
function importedNames(node: ESTree.ImportDeclaration): string[] {
  if (node.importKind === 'type') return [];
  return node.specifiers.map((specifier) => {
    if (specifier.type !== 'ImportSpecifier') return 'default';
    return specifier.imported.type === 'Identifier' ? specifier.imported.name : specifier.imported.value;
  });
}

function faultOf(from: Place, context: Context, specifier: string, names: string[]): string | undefined {
  if (specifier.startsWith('.')) {
    const [file = ''] = specifier.split('?');
    if (!/\.[a-z]+$/.test(file))
      return `Relative imports name the file with its extension: '${specifier}.ts'?`;
    const to = placeOf(context.cwd, path.resolve(path.dirname(context.filename), file));
    return to === undefined ? `${specifier} is outside the house.` : importFault(from, to);
  }
  const builtin = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || BUILTINS.has(builtin)) return builtinFault(from, builtin, names);
  return packageFault(from, packageOf(specifier));
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function packageFault(from: Place, name: string): string | undefined {
  if (from.top === 'renderer' && NODE_PACKAGES.includes(name))
    return `renderer/ has no Node: '${name}' needs it.`;
  if (from.top === 'preload' && name !== 'electron')
    return `preload/ is one self-contained bridge: '${name}' stays out.`;
  if (name === 'electron' && from.top === 'main' && !mayUseElectron(from)) {
    return "'electron' belongs to main/desktop, preload/ and main/index.ts: the engine runs under plain Node.";
  }
  if (isEngine(from) && !ENGINE_PACKAGES.includes(name)) {
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
