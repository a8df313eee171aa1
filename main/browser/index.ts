// The browser host: the same app served on loopback to a web browser. `drydock serve`.
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { defaultDataFolder, openApp } from '../session/index.ts';
import { StorageError } from '../storage/index.ts';
import { serveApp } from './serve.ts';

/** Runs `drydock serve` with its arguments; settles with the exit status when it is told to stop. */
export async function main(args: string[]): Promise<number> {
  try {
    return await serve(args);
  } catch (error) {
    const { code, port } = error as NodeJS.ErrnoException & { port?: number };
    if (error instanceof StorageError) process.stderr.write(`drydock: ${error.message}\n`);
    else if (code === 'EADDRINUSE') process.stderr.write(`drydock: Port ${port} of 127.0.0.1 is taken; choose another with --port.\n`);
    else if (error instanceof TypeError && code?.startsWith('ERR_PARSE_ARGS')) {
      process.stderr.write(`drydock: ${error.message.split('. To specify')[0]!.replace(/\.?$/, '.')} See drydock --help.\n`);
      return 2;
    } else throw error;
    return 1;
  }
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
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await using app = await openApp({
    folder: values.data ?? defaultDataFolder(),
    door: 'browser',
    language: (process.env['LC_ALL'] ?? process.env['LANG'] ?? '').startsWith('zh') ? 'zh' : 'en',
    onFault: (error) => process.stderr.write(`drydock: ${error instanceof Error ? error.stack : String(error)}\n`),
  });
  await using served = await serveApp(app.session, Number(values.port));
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
  child.on('error', () => process.stderr.write('drydock: no browser could be opened by itself; open the address above.\n'));
  child.unref();
}
