// crictl(1): the kubelet's runtime by way of CRI. Its commands by name, its global flags, and what a failure prints.
import { parse as parseYaml } from 'yaml';
import { ErrnoError } from '../../../../network/index.ts';
import type { Process, Program } from '../../../kernel/index.ts';
import { containerdSocket, RuntimeError, type Containerd } from '../../../containerd/index.ts';
import { CRICTL_COMMANDS, type CrictlCommand } from './commands.ts';
import { CrictlError, readWords, type Words } from './words.ts';

const VERSION = 'v1.31.1';
const CONFIG = '/etc/crictl.yaml';
const DEFAULTS =
  '[unix:///run/containerd/containerd.sock unix:///run/crio/crio.sock unix:///var/run/cri-dockerd.sock]';
/** Endpoints at which the machine's runtime answers. */
const ENDPOINTS = [
  'unix:///run/containerd/containerd.sock',
  '/run/containerd/containerd.sock',
  'unix:///var/run/containerd/containerd.sock',
  'unix:///var/run/cri-dockerd.sock',
  'unix:///run/cri-dockerd.sock',
  'unix:///var/run/dockershim.sock',
];

/** logrus, on a terminal and elsewhere. */
async function log(proc: Process, level: 'fatal' | 'warning', message: string): Promise<void> {
  const stamp = `${new Date(Math.floor(proc.clock.now())).toISOString().slice(0, 19)}Z`;
  const isTty = proc.stderr.tty !== undefined;
  const colour = level === 'fatal' ? '31mFATA' : '33mWARN';
  await proc.stderr.write(
    isTty
      ? `\u001b[${colour}\u001b[0m[0000] ${message} \n`
      : `time="${stamp}" level=${level} msg=${JSON.stringify(message)}\n`,
  );
}

/** crictl(1). */
export const crictl: Program = async (proc) => {
  const global = readWords(
    proc.argv.slice(1),
    'config,c= debug,D image-endpoint,i= runtime-endpoint,r= timeout,t= version,v help,h enable-tracing profile-cpu= profile-mem= tracing-endpoint= tracing-sampling-rate-per-million=',
    true,
  );
  try {
    if (global.has('version')) {
      await proc.stdout.write(`crictl version ${VERSION}\n`);
      return 0;
    }
    const [verb, ...args] = global.operands;
    if (verb === undefined || verb === 'help' || verb === 'h' || global.has('help')) {
      await proc.stdout.write(usage());
      return 0;
    }
    const command = CRICTL_COMMANDS.find(({ names }) => names.includes(verb));
    if (command === undefined) {
      await proc.stderr.write(`No help topic for '${verb}'\n`);
      return 3;
    }
    if (command.run === undefined) throw new CrictlError(`drydock: crictl ${verb} isn't simulated`);
    const words = readWords(args, `${command.flags ?? ''} help,h`, command.stops ?? false);
    if (words.has('help')) {
      await proc.stdout.write(
        `NAME:\n   crictl ${verb} - ${command.summary}\n\nUSAGE:\n   crictl ${verb} ${command.form ?? '[command options]'}\n`,
      );
      return 0;
    }
    const runtime = await connect(proc, global);
    return await command.run({
      proc,
      runtime,
      words,
      isDebug: global.has('debug'),
      print: (text) => proc.stdout.write(text),
    });
  } catch (error) {
    if (error instanceof CrictlError) await log(proc, 'fatal', error.message);
    else if (error instanceof RuntimeError)
      await log(proc, 'fatal', `rpc error: code = ${error.code} desc = ${error.message}`);
    else if (error instanceof ErrnoError && error.path !== undefined && error.code !== 'EINTR')
      await log(proc, 'fatal', `open ${error.path}: ${error.message.toLowerCase()}`);
    else throw error;
    return 1;
  }
};

interface Config {
  readonly 'runtime-endpoint'?: string;
  readonly timeout?: number;
}

async function connect(proc: Process, global: Words): Promise<Containerd> {
  const path = global.value('config') ?? proc.env.get('CRI_CONFIG_FILE') ?? CONFIG;
  let endpoint = global.value('runtime-endpoint') ?? proc.env.get('CONTAINER_RUNTIME_ENDPOINT');
  if (proc.fs.exists(path)) {
    const config = (parseYaml(proc.fs.readText(path)) ?? {}) as Config;
    endpoint ??= config['runtime-endpoint'] === '' ? undefined : config['runtime-endpoint'];
  } else if (path !== CONFIG)
    throw new CrictlError(`load config file: stat ${path}: no such file or directory`);
  else await log(proc, 'warning', `Config "${CONFIG}" does not exist, trying next: "/usr/bin/crictl.yaml"`);
  if (endpoint === undefined)
    await log(
      proc,
      'warning',
      `runtime connect using default endpoints: ${DEFAULTS}. As the default settings are now deprecated, you should set the endpoint instead.`,
    );
  const wanted = endpoint ?? ENDPOINTS[0]!;
  const file = wanted.replace(/^unix:\/\//, '');
  const fault = (reason: string): CrictlError =>
    new CrictlError(
      `validate service connection: validate CRI v1 runtime API for endpoint "${wanted}": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix ${file}: connect: ${reason}"`,
    );
  if (!ENDPOINTS.includes(wanted)) throw fault('no such file or directory');
  if (proc.credentials.uid !== 0) throw fault('permission denied');
  try {
    return proc.kernel.connectService(containerdSocket);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw fault(error.code === 'ECONNREFUSED' ? 'connection refused' : 'no such file or directory');
  }
}

function usage(): string {
  const width = Math.max(...CRICTL_COMMANDS.map(({ names }) => names.join(', ').length)) + 2;
  const lines = CRICTL_COMMANDS.map(
    ({ names, summary }: CrictlCommand) => `   ${names.join(', ').padEnd(width)}${summary}\n`,
  );
  return (
    `NAME:\n   crictl - client for CRI\n\nUSAGE:\n   crictl [global options] command [command options] [arguments...]\n\nVERSION:\n   ${VERSION}\n\nCOMMANDS:\n${lines.join('')}\nGLOBAL OPTIONS:\n` +
    "   --config value, -c value            Location of the client config file. If not specified and the default does not exist, the program's directory is searched as well (default: \"/etc/crictl.yaml\") [$CRI_CONFIG_FILE]\n   --debug, -D                         Enable debug mode (default: false)\n   --image-endpoint value, -i value    Endpoint of CRI image manager service (default: uses 'runtime-endpoint' setting) [$IMAGE_SERVICE_ENDPOINT]\n   --runtime-endpoint value, -r value  Endpoint of CRI container runtime service [$CONTAINER_RUNTIME_ENDPOINT]\n   --timeout value, -t value           Timeout of connecting to the server in seconds (default: 2s)\n   --help, -h                          show help\n   --version, -v                       print the version\n"
  );
}
