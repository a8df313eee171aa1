// The `drydock` command: the session without a screen. Chooses the subcommand; every failure is one sentence.
import { LabError } from '../lab/index.ts';
import { SessionError } from '../session/index.ts';
import { StorageError } from '../storage/index.ts';
import { bench } from './bench/index.ts';
import { exec } from './exec.ts';
import { lab } from './lab.ts';
import { up } from './up.ts';
import { UsageError } from './usage.ts';

const HELP = `drydock COMMAND [OPTIONS]

  up      Boot a cluster without a screen and serve it on loopback until interrupted
            --data DIR --kubeconfig FILE [--profile NAME] [--nodes N] [--seed N] [--speed X|max] [--latency lifelike|none]
            [--api-port N] [--proxy-port N] [--dns-port N]
  serve   Open Drydock in a web browser
            [--open] [--data DIR] [--port N]
  exec    Run a command on a machine of the cluster that \`up\` or \`serve\` runs
            [--data DIR] [-t] MACHINE -- COMMAND...
  bench   Measure rollouts, the API server and boots on this machine
            [--only rollout,api,https,nodes,shells] [--full] [--nodes N] [--pods N] [--image NAME]
  lab     list | lint [ID...] | run ID... [--lang en|zh] | run --all

`;

const commands: Readonly<Record<string, (args: string[]) => Promise<number>>> = { up, exec, lab, bench };

/** Runs one `drydock` command line; settles with its exit status: 0 well, 1 failed, 2 misused. */
export async function main(args: string[]): Promise<number> {
  const [name = '--help', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (command === undefined) throw new UsageError(`There is no command "${name}".`);
    return await command(rest);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`drydock: ${error.message} See drydock --help.\n`);
      return 2;
    }
    process.stderr.write(`drydock: ${explain(error)}\n`);
    return 1;
  }
}

function explain(error: unknown): string {
  if (
    error instanceof StorageError ||
    error instanceof SessionError ||
    error instanceof LabError ||
    error instanceof RangeError
  ) {
    return error.message;
  }
  const system = error as NodeJS.ErrnoException & { port?: number };
  if (system.code === 'EADDRINUSE') {
    return `Port ${system.port} of 127.0.0.1 is taken; choose another, or 0 for a free one.`;
  }
  if (system.errno !== undefined && system.path !== undefined) {
    return `${system.path} can't be used (${system.code}); check the path, its permissions and its disk.`;
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
