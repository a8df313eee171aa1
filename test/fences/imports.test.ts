// The import fences, each shown to let the right imports through and to name what is wrong with the others.
import { afterAll, describe, expect, test } from 'vitest';

import { Fixture } from './fixture.ts';

/** Rooms that the cases import from. */
const ROOMS = {
  'main/simulation/index.ts': '// Room.\nexport const simulation = 1;\n',
  'main/storage/index.ts': '// Room.\nexport const storage = 1;\n',
  'main/network/index.ts': '// Room.\nexport const network = 1;\n',
  'main/network/http/index.ts': '// Sub-room.\nexport const http = 1;\n',
  'main/network/http/message.ts': '// File of a sub-room.\nexport const message = 1;\n',
  'main/linux/index.ts': '// Room.\nexport const linux = 1;\n',
  'main/kubernetes/index.ts': '// Room.\nexport const kubernetes = 1;\n',
  'main/images/index.ts': '// Room.\nexport const images = 1;\n',
  'main/cluster/index.ts': '// Room.\nexport const cluster = 1;\n',
  'main/lab/index.ts': '// Room.\nexport const lab = 1;\n',
  'main/session/index.ts': '// Room.\nexport const session = 1;\n',
  'main/desktop/index.ts': '// Door.\nexport const desktop = 1;\n',
  'main/browser/index.ts': '// Door.\nexport const browser = 1;\n',
  'main/cli/index.ts': '// Door.\nexport const cli = 1;\n',
  'preload/contract.ts': '// Contract.\nexport const contract = 1;\n',
  'preload/bridge.ts': '// Bridge.\nexport const bridge = 1;\n',
  'renderer/panel.ts': '// Panel.\nexport const panel = 1;\n',
};

interface Case {
  file: string;
  imports: string;
  /** Part of the message, or undefined where the import is right. */
  fault?: string;
}

const CASES: Case[] = [
  // Layers, downward only.
  { file: 'main/network/link/a.ts', imports: '../../simulation/index.ts' },
  {
    file: 'main/simulation/b.ts',
    imports: '../storage/index.ts',
    fault: 'main/simulation is below main/storage',
  },
  { file: 'main/storage/c.ts', imports: '../network/index.ts', fault: 'main/storage is below main/network' },
  { file: 'main/network/d.ts', imports: '../linux/index.ts', fault: 'main/network is below main/linux' },
  {
    file: 'main/linux/e.ts',
    imports: '../kubernetes/index.ts',
    fault: 'let main/cluster pass the implementation in',
  },
  {
    file: 'main/kubernetes/f.ts',
    imports: '../images/index.ts',
    fault: 'main/kubernetes is below main/images',
  },
  { file: 'main/images/g.ts', imports: '../kubernetes/index.ts' },
  { file: 'main/images/h.ts', imports: '../cluster/index.ts', fault: 'main/images is below main/cluster' },
  { file: 'main/cluster/i.ts', imports: '../lab/index.ts', fault: 'main/cluster is below main/lab' },
  { file: 'main/lab/j.ts', imports: '../session/index.ts', fault: 'main/lab is below main/session' },
  { file: 'main/session/k.ts', imports: '../cli/index.ts', fault: 'main/session is below main/cli' },
  { file: 'main/session/l.ts', imports: '../lab/index.ts' },
  {
    file: 'main/lost/m.ts',
    imports: '../simulation/index.ts',
    fault: 'main/lost is not a room of the house',
  },

  // Three doors.
  { file: 'main/cli/a.ts', imports: '../session/index.ts' },
  {
    file: 'main/cli/b.ts',
    imports: '../browser/index.ts',
    fault: 'separate doors: share through main/session',
  },
  { file: 'main/desktop/c.ts', imports: '../cli/index.ts', fault: 'separate doors' },
  { file: 'main/index.ts', imports: './desktop/index.ts' },
  {
    file: 'main/desktop/d.ts',
    imports: '../index.ts',
    fault: 'main/index.ts is an entry point: nothing imports it',
  },

  // Rooms are entered through their index.
  { file: 'main/network/ip/a.ts', imports: '../http/message.ts' },
  { file: 'main/linux/b.ts', imports: '../network/http/index.ts' },
  {
    file: 'main/linux/c.ts',
    imports: '../network/http/message.ts',
    fault: 'import what its index.ts (or a sub-room',
  },

  // The contract is all that main/ and renderer/ share.
  { file: 'main/session/contract-user.ts', imports: '../../preload/contract.ts' },
  { file: 'main/lab/contract-user.ts', imports: '../../preload/contract.ts' },
  { file: 'main/cluster/contract-user.ts', imports: '../../preload/contract.ts', fault: 'knows no screen' },
  {
    file: 'main/session/bridge-user.ts',
    imports: '../../preload/bridge.ts',
    fault: 'share only preload/contract.ts',
  },
  {
    file: 'main/session/panel-user.ts',
    imports: '../../renderer/panel.ts',
    fault: 'main/ may not import renderer/panel.ts',
  },
  { file: 'renderer/a.ts', imports: '../preload/contract.ts' },
  { file: 'renderer/b.ts', imports: './panel.ts' },
  { file: 'renderer/c.ts', imports: '../preload/bridge.ts', fault: 'only through preload/contract.ts' },
  { file: 'renderer/d.ts', imports: '../main/session/index.ts', fault: 'only through preload/contract.ts' },
  { file: 'preload/e.ts', imports: '../main/session/index.ts', fault: 'one self-contained bridge' },

  // electron, Node and packages.
  { file: 'main/desktop/electron.ts', imports: 'electron' },
  { file: 'preload/electron.ts', imports: 'electron' },
  { file: 'main/session/electron.ts', imports: 'electron', fault: "'electron' belongs to main/desktop" },
  { file: 'main/cli/electron.ts', imports: 'electron/main', fault: "'electron' belongs to main/desktop" },
  { file: 'renderer/electron.ts', imports: 'electron', fault: "'electron' needs it" },
  { file: 'renderer/node.ts', imports: 'node:fs', fault: 'renderer/ has no Node' },
  { file: 'renderer/ws.ts', imports: 'ws', fault: "'ws' needs it" },
  { file: 'renderer/react.ts', imports: 'react' },
  { file: 'preload/node.ts', imports: 'node:fs', fault: 'sandbox without Node' },
  { file: 'preload/ws.ts', imports: 'ws', fault: "'ws' stays out" },

  // The engine does no real I/O.
  { file: 'main/storage/fs.ts', imports: 'node:fs' },
  { file: 'main/storage/sqlite.ts', imports: 'better-sqlite3' },
  {
    file: 'main/linux/fs.ts',
    imports: 'node:fs',
    fault: "main/linux does no real I/O: instead of 'node:fs'",
  },
  {
    file: 'main/linux/fs-bare.ts',
    imports: 'fs',
    fault: "main/linux does no real I/O: instead of 'node:fs'",
  },
  { file: 'main/network/net.ts', imports: 'node:net', fault: 'let a door pass it in' },
  { file: 'main/network/timers.ts', imports: 'node:timers/promises', fault: 'does no real I/O' },
  { file: 'main/cluster/sqlite.ts', imports: 'better-sqlite3', fault: 'is not among its packages' },
  { file: 'main/kubernetes/yaml.ts', imports: 'yaml' },
  { file: 'main/kubernetes/util.ts', imports: 'node:util' },
  { file: 'main/linux/path.ts', imports: 'node:path', fault: "take 'node:path/posix'" },
  { file: 'main/linux/posix.ts', imports: 'node:path/posix' },

  // Relative imports as Node runs them.
  { file: 'main/network/extension.ts', imports: '../simulation/index', fault: 'with its extension' },
];

const STATEMENTS: Record<string, string> = {
  'main/kubernetes/schema-types.ts':
    "import type { Pod } from 'kubernetes-models/v1';\nexport type Use = Pod;\n",
  'main/kubernetes/schema-values.ts':
    "import { Pod } from 'kubernetes-models/v1';\nexport const use = Pod;\n",
  'main/kubernetes/uuid-passed-on.ts': "export { randomUUID } from 'node:crypto';\n",
  'main/kubernetes/hash.ts': "import { createHash } from 'node:crypto';\nexport const use = createHash;\n",
  'main/kubernetes/uuid.ts': "import { randomUUID } from 'node:crypto';\nexport const use = randomUUID;\n",
  'main/kubernetes/crypto.ts': "import * as crypto from 'node:crypto';\nexport const use = crypto;\n",
  'main/images/gzip.ts': "import { gzip } from 'node:zlib';\nexport const use = gzip;\n",
  'main/images/gzip-sync.ts': "import { gzipSync } from 'node:zlib';\nexport const use = gzipSync;\n",
  'main/linux/dynamic.ts': "export const use = () => import('../kubernetes/index.ts');\n",
  'main/linux/exported.ts': "export * from '../kubernetes/index.ts';\n",
  'main/linux/type.ts': "export type Use = import('../kubernetes/index.ts').Use;\n",
  'main/linux/type-only.ts': "import type { Use } from '../kubernetes/index.ts';\nexport type Mine = Use;\n",
};

function fixtureFiles(): Record<string, string> {
  const files: Record<string, string> = { ...ROOMS };
  for (const { file, imports } of CASES) files[file] = `// Case.\nexport * from '${imports}';\n`;
  for (const [file, text] of Object.entries(STATEMENTS)) files[file] = `// Case.\n${text}`;
  return files;
}

const fixture = new Fixture(fixtureFiles());
afterAll(() => fixture[Symbol.dispose]());
const faults = fixture.lint();

function importFaults(file: string): string[] {
  return (faults.get(file) ?? []).filter((fault) => fault.startsWith('drydock(imports)'));
}

describe('an import that is right passes', () => {
  for (const { file, imports, fault } of CASES) {
    if (fault === undefined)
      test(`${file} may import ${imports}`, () => expect(importFaults(file)).toEqual([]));
  }
  test('types leave no trace', () => expect(importFaults('main/kubernetes/schema-types.ts')).toEqual([]));
  test('hashing is computation', () => expect(importFaults('main/kubernetes/hash.ts')).toEqual([]));
  test('synchronous compression is computation', () =>
    expect(importFaults('main/images/gzip-sync.ts')).toEqual([]));
});

describe('an import that is wrong is refused, with what to do instead', () => {
  for (const { file, imports, fault } of CASES) {
    if (fault === undefined) continue;
    test(`${file} may not import ${imports}`, () => {
      expect(importFaults(file)).toEqual([expect.stringContaining(fault)]);
    });
  }

  const refused = {
    'main/kubernetes/uuid.ts': 'take Random from main/simulation',
    'main/kubernetes/schema-values.ts': "'kubernetes-models' is not among its packages",
    'main/kubernetes/uuid-passed-on.ts': 'take Random from main/simulation',
    'main/kubernetes/crypto.ts': "Import from 'node:crypto' by name",
    'main/images/gzip.ts': 'take its …Sync form',
    'main/linux/dynamic.ts': 'main/linux is below main/kubernetes',
    'main/linux/exported.ts': 'main/linux is below main/kubernetes',
    'main/linux/type.ts': 'main/linux is below main/kubernetes',
    'main/linux/type-only.ts': 'main/linux is below main/kubernetes',
  };
  for (const [file, fault] of Object.entries(refused)) {
    test(`${file}: ${fault}`, () => expect(importFaults(file)).toEqual([expect.stringContaining(fault)]));
  }
});
