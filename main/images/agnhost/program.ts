// agnhost, the test image of Kubernetes: its commands by name.
import { untilStopped } from '../../kubernetes/daemon/index.ts';
import type { Process, Program } from '../../linux/kernel/index.ts';
import { stress } from '../stress.ts';
import { goFlags } from '../go-http.ts';
import { grpcHealthChecking } from './grpc-health.ts';
import { guestbook } from './guestbook.ts';
import { netexec } from './netexec.ts';
import {
  connect,
  dnsServerList,
  dnsSuffix,
  entrypointTester,
  etcHosts,
  logsGenerator,
  mounttest,
} from './one-shot.ts';
import { fakeGitServer, liveness, porter, serveHostname, testWebserver } from './servers.ts';

type Command = (
  proc: Process,
  flags: ReadonlyMap<string, string>,
  rest: readonly string[],
) => Promise<number>;

const COMMANDS: Readonly<Record<string, readonly [summary: string, run: Command]>> = {
  connect: ['Attempts to connect to a given address', connect],
  'dns-server-list': ["Prints the host's DNS server list", dnsServerList],
  'dns-suffix': ["Prints the host's DNS suffix list", dnsSuffix],
  'entrypoint-tester': ['Prints its arguments', entrypointTester],
  'etc-hosts': ['Prints the hosts file', etcHosts],
  'fake-gitserver': ['Fakes a git server', fakeGitServer],
  'grpc-health-checking': [
    'Starts a simple grpc health checking endpoint',
    (proc) => grpcHealthChecking(proc, proc.argv.slice(2)),
  ],
  guestbook: ['Creates a HTTP server with various endpoints representing a guestbook app', guestbook],
  liveness: ['Starts a HTTP server that is alive for 10 seconds', liveness],
  'logs-generator': ['Outputs lines of logs to stdout uniformly', logsGenerator],
  mounttest: ['Tells about files, their types and permissions', mounttest],
  netexec: ['Creates HTTP(S), UDP, and (optionally) SCTP servers with various endpoints', netexec],
  pause: [
    'Pauses the execution. Useful for keeping the containers running, so other commands can be executed.',
    pause,
  ],
  porter: ['Serves requested data on ports specified in ENV variables', porter],
  'serve-hostname': ['Serves the hostname', serveHostname],
  stress: ['Creates a given amount of load on the node', (proc) => stress(proc)],
  'test-webserver': ['Starts a simple HTTP fileserver', testWebserver],
};
const BOOLEANS = ['tcp', 'udp', 'http', 'close', 'help', 'h'];
const VERSION = '2.53';

async function pause(proc: Process): Promise<number> {
  await proc.stdout.write('Paused\n');
  return untilStopped(proc);
}

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length)) + 1;
  const lines = Object.entries(COMMANDS).map(([name, [summary]]) => `  ${name.padEnd(width)}${summary}\n`);
  return `Usage:\n  app [command]\n\nAvailable Commands:\n${lines.join('')}\nFlags:\n  -h, --help      help for app\n  -v, --version   version for app\n\nUse "app [command] --help" for more information about a command.\n`;
}

/** /agnhost. */
export const agnhost: Program = async (proc) => {
  const [, name = '', ...rest] = proc.argv;
  if (name === '' || name === 'help' || name === '--help' || name === '-h') {
    await proc.stdout.write(usage());
    return 0;
  }
  if (name === '--version' || name === '-v') {
    await proc.stdout.write(`app version ${VERSION}\n`);
    return 0;
  }
  const known = COMMANDS[name];
  if (known !== undefined) {
    const { flags, rest: operands } = goFlags(rest, BOOLEANS);
    return known[1](proc, flags, operands);
  }
  const isReal = [
    'audit-proxy',
    'crd-conversion-webhook',
    'inclusterclient',
    'net',
    'nettest',
    'openidmetadata',
    'resource-consumer-controller',
    'tcp-reset',
    'webhook',
  ].includes(name);
  await proc.stderr.write(
    isReal
      ? `drydock: agnhost ${name} isn't simulated\n`
      : `Error: unknown command "${name}" for "app"\nRun 'app --help' for usage.\n`,
  );
  return 1;
};
