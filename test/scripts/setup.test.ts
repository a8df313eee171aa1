// Set-up does what is needed and no more, and says in one sentence what keeps it from working.
import path from 'node:path';

import { expect, test } from 'vitest';

import { Checkout } from './checkout.ts';

const UNREACHABLE = {
  npm_config_registry: 'http://127.0.0.1:9/',
  npm_config_fetch_retries: '0',
  npm_config_offline: 'false',
};

const LOCKED = {
  name: 'checkout',
  lockfileVersion: 3,
  packages: {
    '': { name: 'checkout', dependencies: { 'drydock-no-such-package': '1.0.0' } },
    'node_modules/drydock-no-such-package': {
      version: '1.0.0',
      resolved: 'http://127.0.0.1:9/drydock-no-such-package-1.0.0.tgz',
    },
  },
};

const DEPENDENT = JSON.stringify({
  name: 'checkout',
  private: true,
  type: 'module',
  dependencies: { 'drydock-no-such-package': '1.0.0' },
});

test('what npm has already installed is not installed again', async () => {
  using checkout = new Checkout();
  checkout.pretendInstalled();

  const run = await checkout.run('scripts/setup.mjs');

  expect(run).toEqual({ status: 0, stdout: '', stderr: 'drydock: Building the app …\n' });
  expect(checkout.read('node_modules/.drydock-lock')).toMatch(/^[0-9a-f]{64}$/);
});

test('without a network, one sentence says so', async () => {
  using checkout = new Checkout();
  checkout.write('package.json', DEPENDENT);
  checkout.write('package-lock.json', JSON.stringify(LOCKED));

  const run = await checkout.run('scripts/setup.mjs', [], UNREACHABLE);

  expect(run.status).toBe(1);
  expect(run.stderr.split('\n')).toEqual([
    'drydock: Installing the packages of package-lock.json …',
    "drydock: The packages can't be installed because the npm registry can't be reached (ECONNREFUSED); connect to the network and run this again.",
    '',
  ]);
});

test.each([
  ['EUSAGE', "package.json and package-lock.json don't agree; run npm install and commit both."],
  ['ENOSPC', "The packages can't be installed because the disk is full; free about 1 GB and run this again."],
  [
    'EINTEGRITY',
    "The packages can't be installed, npm says: the rest of it (EINTEGRITY); run npm ci to see all of it.",
  ],
])('when npm gives up with %s, one sentence says what to do', async (code, sentence) => {
  using checkout = new Checkout();
  checkout.write(
    'npm-cli.cjs',
    `console.error('npm error code ${code}\\nnpm error the rest of it');\nprocess.exit(1);\n`,
  );

  const run = await checkout.run('scripts/setup.mjs', [], {
    npm_execpath: path.join(checkout.folder, 'npm-cli.cjs'),
    npm_node_execpath: process.execPath,
  });

  expect(run.status).toBe(1);
  expect(run.stderr.split('\n').slice(1)).toEqual([`drydock: ${sentence}`, '']);
});

test('the app is built once, and again when a source changes', async () => {
  using checkout = new Checkout();
  checkout.pretendInstalled();
  checkout.write('main/index.ts', '// One.\n');

  await checkout.run('scripts/setup.mjs');
  await checkout.run('scripts/setup.mjs');
  expect(checkout.read('out/builds')).toBe('built\n');

  checkout.write('main/index.ts', '// Two.\n');
  await checkout.run('scripts/setup.mjs');
  expect(checkout.read('out/builds')).toBe('built\nbuilt\n');
});

test('two set-ups at once build once', async () => {
  using checkout = new Checkout();
  checkout.pretendInstalled(
    "await new Promise((resolve) => setTimeout(resolve, 300));\nfs.appendFileSync('out/builds', 'built\\n');",
  );

  const runs = await Promise.all([checkout.run('scripts/setup.mjs'), checkout.run('scripts/setup.mjs')]);

  expect(runs.map(({ status }) => status)).toEqual([0, 0]);
  expect(checkout.read('out/builds')).toBe('built\n');
});

test('a lock left behind by a set-up that was killed is taken over', async () => {
  using checkout = new Checkout();
  checkout.pretendInstalled();
  checkout.write('.setup-build.lock', '999999999');

  expect(await checkout.run('scripts/setup.mjs')).toMatchObject({ status: 0 });
  expect(checkout.read('out/builds')).toBe('built\n');
});

test('a build that fails shows what the tool said and is tried again next time', async () => {
  using checkout = new Checkout();
  checkout.pretendInstalled("console.error('no such module'); process.exit(1);");

  const run = await checkout.run('scripts/setup.mjs');

  expect(run.status).toBe(1);
  expect(run.stderr).toContain(
    'no such module\ndrydock: The app does not build; the messages above say where.\n',
  );
  expect(checkout.read('out/.stamp')).toBeUndefined();
});
