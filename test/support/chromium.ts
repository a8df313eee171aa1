// Finds a Chromium on this machine and drives it; tests that need one say so when there is none.
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

import { chromium, type Browser } from 'playwright-core';
import { test, type TestContext } from 'vitest';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MACOS = [
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** No sandbox: continuous integration runs as root. No QUIC, update or sync: the tests stay on this machine. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const NO_CHROMIUM =
  "no Chromium on this machine; install Debian's `chromium` package or set CHROMIUM to its path";

/** The path of a Chromium, or undefined: `$CHROMIUM` first, then the usual names on the PATH, then macOS's places. */
export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/bin'].filter(
    (folder) => folder !== '',
  );
  const candidates = folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name)));
  return [...candidates, ...MACOS].find(isExecutable);
}

/** Starts headless Chromium with a fresh profile; closing or disposing the browser ends it. */
export async function launchChromium(options: { args?: readonly string[] } = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(NO_CHROMIUM);
  return chromium.launch({
    executablePath,
    headless: true,
    args: [...FLAGS, ...(options.args ?? [])],
  });
}

/** Like vitest's `test`, but skipped, with the reason, on a machine without Chromium. */
export function browserTest(
  name: string,
  body: (context: TestContext) => Promise<void>,
  timeoutMs?: number,
): void {
  test(name, timeoutMs === undefined ? {} : { timeout: timeoutMs }, async (context) => {
    if (findChromium() === undefined) context.skip(NO_CHROMIUM);
    await body(context);
  });
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // Absent, or not ours to run: either way not a Chromium for us.
  }
}
