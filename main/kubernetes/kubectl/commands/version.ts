// kubectl version: the client's and the server's.
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { toYaml } from '../output/yaml.ts';
import { minorOfClient } from '../rest/release.ts';

interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

export const version: Command = { name: 'version', run: runVersion };

async function runVersion({ kubectl, flags, args }: Invocation): Promise<number> {
  if (args.length > 0) throw new CommandError(`extra arguments: [${args.join(' ')}]`);
  const output = flags.string('output');
  if (output !== '' && output !== 'yaml' && output !== 'json')
    throw new CommandError("--output must be 'yaml' or 'json'");
  const client = clientVersion(kubectl.version.gitVersion);
  const { kustomizeVersion } = kubectl.version;
  let server: VersionInfo | undefined;
  let failure: Error | undefined;
  if (!flags.bool('client')) {
    try {
      server = await kubectl.api.json<VersionInfo>({
        method: 'GET',
        path: '/version',
        query: { timeout: '32s' },
      });
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      failure = error; // Told after what is known.
    }
  }
  if (output === '') {
    const minor = minorOfClient(kubectl.version);
    const told = (info: VersionInfo): string => (minor < SHORT_SINCE ? inGo(info) : info.gitVersion);
    await kubectl.out(`Client Version: ${told(client)}\n`);
    if (minor >= KUSTOMIZE_SINCE) await kubectl.out(`Kustomize Version: ${kustomizeVersion}\n`);
    if (server !== undefined) await kubectl.out(`Server Version: ${told(server)}\n`);
  } else {
    const all = {
      clientVersion: client,
      kustomizeVersion,
      ...(server === undefined ? {} : { serverVersion: server }),
    };
    await kubectl.out(output === 'yaml' ? toYaml(all) : `${JSON.stringify(all, undefined, 2)}\n`);
  }
  if (failure !== undefined) throw failure;
  if (server !== undefined) await warnOfSkew(kubectl, client, server);
  return 0;
}

/** First releases that tell Kustomize's version, and that tell no more than versions. */
const KUSTOMIZE_SINCE = 24;
const SHORT_SINCE = 28;

/** As Go prints the structure, `%#v`. */
function inGo(info: VersionInfo): string {
  const fields = [
    ['Major', info.major],
    ['Minor', info.minor],
    ['GitVersion', info.gitVersion],
    ['GitCommit', info.gitCommit],
    ['GitTreeState', info.gitTreeState],
    ['BuildDate', info.buildDate],
    ['GoVersion', info.goVersion],
    ['Compiler', info.compiler],
    ['Platform', info.platform],
  ];
  return `version.Info{${fields.map(([name, value]) => `${name}:${JSON.stringify(value)}`).join(', ')}}`;
}

/** Go's version in releases whose kubectl is known to be built with another than the latest. */
const GO_VERSIONS: Readonly<Record<string, string>> = {
  '15': 'go1.12.17',
  '19': 'go1.15.15',
  '28': 'go1.20.8',
};

/** Build facts that no release tells by its name alone stand as unknown. */
function clientVersion(gitVersion: string): VersionInfo {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)/.exec(gitVersion) ?? [];
  return {
    major,
    minor,
    gitVersion,
    gitCommit: 'unknown',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: GO_VERSIONS[minor] ?? 'go1.23.8',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

async function warnOfSkew(
  kubectl: Invocation['kubectl'],
  client: VersionInfo,
  server: VersionInfo,
): Promise<void> {
  const [mine, theirs] = [client, server].map(({ gitVersion }) => /^v(\d+)\.(\d+)/.exec(gitVersion));
  if (mine === null || theirs === null || mine === undefined || theirs === undefined) return;
  if (mine[1] === theirs[1] && Math.abs(Number(mine[2]) - Number(theirs[2])) <= 1) return;
  await kubectl.err(
    `WARNING: version difference between client (${mine[1]}.${mine[2]}) and server (${theirs[1]}.${theirs[2]}) exceeds the supported minor version skew of +/-1\n`,
  );
}
