// Gets hold of the Electron binary, which npm doesn't bring, or says in one sentence why it can't be had.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { checkoutEnvironment, node24, ROOT } from './setup.mjs';

const FOLDER = path.join(ROOT, 'node_modules', 'electron');
const PROBE_MS_MAX = 8_000;
const DOWNLOAD_MS_MAX = 10 * 60 * 1000;

/** @typedef {{ path: string } | { unavailable: string }} Electron */

/** Electron's program, downloaded if need be; or why the desktop window can't be had. @returns {Promise<Electron>} */
export async function findElectron() {
  const fault = hostFault();
  if (fault !== undefined) return { unavailable: fault };
  const present = installedPath();
  if (present !== undefined) return { path: present };

  const unreachable = await downloadFault();
  if (unreachable !== undefined) return { unavailable: unreachable };
  process.stderr.write('drydock: Fetching Electron, once …\n');
  const failure = await download();
  const path = installedPath();
  if (path !== undefined) return { path };
  return { unavailable: `Electron can't be downloaded (${failure ?? 'no program in the archive'})` };
}

/** What about this host rules out a window. */
function hostFault() {
  if (process.platform !== 'linux') return undefined;
  if (process.env['DISPLAY'] === undefined && process.env['WAYLAND_DISPLAY'] === undefined) {
    return 'There is no graphical display here';
  }
  if (process.getuid?.() === 0) return 'Electron keeps its sandbox and so does not run as root';
  return undefined;
}

/** @returns {string | undefined} */
function installedPath() {
  const record = path.join(FOLDER, 'path.txt');
  if (!fs.existsSync(record)) return undefined;
  const program = path.join(
    process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? path.join(FOLDER, 'dist'),
    fs.readFileSync(record, 'utf8'),
  );
  return fs.existsSync(program) ? program : undefined;
}

/** A quick look whether the download can work at all, so that nobody waits minutes to hear no. */
async function downloadFault() {
  const { HTTPS_PROXY, https_proxy, ELECTRON_MIRROR, npm_config_electron_mirror: npmMirror } = process.env;
  if (HTTPS_PROXY ?? https_proxy ?? ELECTRON_MIRROR ?? npmMirror) return undefined; // The downloader knows better.
  try {
    await fetch('https://github.com/electron/electron/releases', {
      method: 'HEAD',
      signal: AbortSignal.timeout(PROBE_MS_MAX),
    });
    return undefined;
  } catch (error) {
    const cause = /** @type {{ cause?: { code?: string } }} */ (error).cause;
    return `Electron can't be downloaded because github.com can't be reached (${cause?.code ?? 'no answer'})`;
  }
}

/** Runs Electron's own installer; settles with the last thing it said if it failed. @returns {Promise<string | undefined>} */
function download() {
  const child = spawn(node24(), [path.join(FOLDER, 'install.js')], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: checkoutEnvironment(),
    timeout: DOWNLOAD_MS_MAX,
  });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => {
      if (status === 0) return resolve(undefined);
      const line = said.split('\n').find((text) => /\S/.test(text));
      resolve(
        line?.trim() ??
          (signal === null ? `status ${status}` : `no end after ${DOWNLOAD_MS_MAX / 60_000} minutes`),
      );
    });
  });
}
