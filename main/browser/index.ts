// The browser host: the same app served on loopback to a web browser. `drydock serve`.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { defaultDataFolder, openApp, Pages } from '../session/index.ts';
import { StorageError } from '../storage/index.ts';
import { serveApp } from './serve.ts';

/** Runs `drydock serve` with its arguments; settles with the exit status when it is told to stop. */
export async function main(args: string[]): Promise<number> {
  try {
    return await serve(args);
  } catch (error) {
    const { code, port, path } = error as NodeJS.ErrnoException & { port?: number };
    if (error instanceof TypeError && code?.startsWith('ERR_PARSE_ARGS')) {
      return complain(
        `${error.message.split('. To specify')[0]!.replace(/\.?$/, '.')} See drydock --help.`,
        2,
      );
    }
    if (error instanceof UsageError) return complain(`${error.message} See drydock --help.`, 2);
    if (error instanceof StorageError) return complain(error.message, 1);
    if (code === 'EADDRINUSE')
      return complain(`Port ${port} of 127.0.0.1 is taken; choose another with --port.`, 1);
    if (code === 'EACCES' && path === undefined)
      return complain('This port is not yours to use; choose one from 1024 up.', 1);
    if (path !== undefined)
      return complain(`${path} can't be used (${code}); check the path, its permissions and its disk.`, 1);
    throw error;
  }
}

class UsageError extends Error {}

function complain(sentence: string, status: number): number {
  process.stderr.write(`drydock: ${sentence}\n`);
  return status;
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new UsageError(`--port wants a number from 0 to 65535, not "${text}".`);
  }
  return Number(text);
}

async function serve(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      open: { type: 'boolean', default: false },
    },
  });
  const port = portOf(values.port);
  if (!new Pages().built)
    return complain("The screen isn't built yet; run npm run build, then try again.", 1);
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await using app = await openApp({
    folder: values.data ?? defaultDataFolder(),
    door: 'browser',
    language: (process.env['LC_ALL'] ?? process.env['LANG'] ?? '').startsWith('zh') ? 'zh' : 'en',
    onFault: (error) =>
      process.stderr.write(`drydock: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  await using served = await serveApp(app.session, port);
  process.stdout.write(`Drydock is open at ${served.url}\nPress Ctrl-C to stop it.\n`);
  if (values.open) openInBrowser(served.url);
  await stopped;
  return 0;
}

/** Asks the desktop to open an address; where there is none, the person opens the printed one. */
function openInBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '', url]
        : ['xdg-open', url];
  const child = spawn(command!, args, { stdio: 'ignore', detached: true });
  child.on('error', () =>
    process.stderr.write('drydock: no browser could be opened by itself; open the address above.\n'),
  );
  child.unref();
}
