// `npm start` opens the desktop app, or says why not and opens the browser host.
import { chmodSync } from 'node:fs';
import path from 'node:path';

import { expect, test } from 'vitest';

import { Checkout } from './checkout.ts';

const ON_LINUX = process.platform === 'linux';
const NOT_LINUX = 'only Linux can be without a display';
const ECHO_COMMAND = 'console.log(JSON.stringify(process.argv.slice(2)));\n';

function makeCheckout(): Checkout {
  const checkout = new Checkout();
  checkout.pretendInstalled();
  checkout.write('bin/drydock.mjs', ECHO_COMMAND);
  return checkout;
}

/** Puts a shell script where Electron's program would be. */
function pretendElectron(checkout: Checkout, script: string): void {
  checkout.write('node_modules/electron/path.txt', 'electron');
  checkout.write('node_modules/electron/dist/electron', `#!/bin/sh\n${script}\n`);
  chmodSync(path.join(checkout.folder, 'node_modules/electron/dist/electron'), 0o755);
}

test('without a display, one sentence says so and the browser host gets the options', async (context) => {
  if (!ON_LINUX) context.skip(NOT_LINUX);
  using checkout = makeCheckout();

  const run = await checkout.run('scripts/start.mjs', ['--data', 'here'], {
    DISPLAY: undefined,
    WAYLAND_DISPLAY: undefined,
  });

  expect(run.stderr).toContain(
    'drydock: There is no graphical display here, so Drydock opens in your browser instead.\n',
  );
  expect(run.stdout).toBe('["serve","--open","--data","here"]\n');
  expect(run.status).toBe(0);
});

test('--browser asks for no desktop at all', async () => {
  using checkout = makeCheckout();

  const run = await checkout.run('scripts/start.mjs', ['--browser'], { DISPLAY: ':0' });

  expect(run.stderr).not.toContain('instead');
  expect(run.stdout).toBe('["serve","--open"]\n');
});

if (ON_LINUX && process.getuid?.() === 0) {
  test('root, whom Electron refuses, gets the browser host', async () => {
    using checkout = makeCheckout();
    pretendElectron(checkout, 'echo started');

    const run = await checkout.run('scripts/start.mjs', [], { DISPLAY: ':0' });

    expect(run.stderr).toContain('does not run as root, so Drydock opens in your browser instead.');
    expect(run.stdout).toBe('["serve","--open"]\n');
  });
} else if (ON_LINUX) {
  test('an Electron that is there is started on this checkout', async () => {
    using checkout = makeCheckout();
    pretendElectron(checkout, 'echo "electron $@"');

    const run = await checkout.run('scripts/start.mjs', ['--data', 'here'], { DISPLAY: ':0' });

    expect(run.stdout).toBe(`electron ${checkout.folder} --data here\n`);
    expect(run.status).toBe(0);
  });

  test('an Electron that dies at once gives way to the browser host', async () => {
    using checkout = makeCheckout();
    pretendElectron(checkout, 'echo "libnss3.so: cannot open shared object file" >&2; exit 127');

    const run = await checkout.run('scripts/start.mjs', [], { DISPLAY: ':0' });

    expect(run.stderr).toContain(
      "drydock: Electron doesn't start here (libnss3.so: cannot open shared object file), so Drydock opens in your browser instead.\n",
    );
    expect(run.stdout).toBe('["serve","--open"]\n');
  });
}
