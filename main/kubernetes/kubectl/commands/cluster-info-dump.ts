// kubectl cluster-info dump: nodes, and of some namespaces the objects and logs, on standard output or as a tree of files.
import { StatusError } from '../../api/index.ts';
import { CommandError } from '../frame/command-error.ts';
import type { Command, Invocation } from '../frame/command.ts';
import { OBJECT_FORMATS, objectPrinter } from '../output/printer.ts';
import type { PodObject } from '../rest/pods.ts';

interface ObjectList {
  readonly items: readonly PodObject[] | null;
}

const FILES: readonly (readonly [file: string, path: (namespace: string) => string])[] = [
  ['events', (namespace) => `/api/v1/namespaces/${namespace}/events`],
  ['replication-controllers', (namespace) => `/api/v1/namespaces/${namespace}/replicationcontrollers`],
  ['services', (namespace) => `/api/v1/namespaces/${namespace}/services`],
  ['daemonsets', (namespace) => `/apis/apps/v1/namespaces/${namespace}/daemonsets`],
  ['deployments', (namespace) => `/apis/apps/v1/namespaces/${namespace}/deployments`],
  ['replicasets', (namespace) => `/apis/apps/v1/namespaces/${namespace}/replicasets`],
];

export const clusterInfoDump: Command = { name: 'dump', run: runDump };

async function runDump(invocation: Invocation): Promise<number> {
  const { kubectl, flags, proc } = invocation;
  const format = flags.string('output');
  const print = objectPrinter(format, flags, proc);
  if (print === undefined)
    throw new CommandError(
      `unable to match a printer suitable for the output format "${format}", allowed formats are: ${OBJECT_FORMATS}`,
    );
  const folder = flags.string('output-directory');
  const isTree = folder !== '' && folder !== '-';
  const ending = format === 'json' || format === 'yaml' ? `.${format}` : '.txt';
  const write = async (path: string, text: string): Promise<void> => {
    if (!isTree) return kubectl.out(text);
    const file = `${folder}/${path}`;
    proc.fs.mkdir(file.slice(0, file.lastIndexOf('/')), { recursive: true, mode: 0o755 });
    proc.fs.writeFile(file, text);
  };
  const list = (path: string): Promise<ObjectList> => kubectl.api.json<ObjectList>({ method: 'GET', path });
  await write(`nodes${ending}`, print(await list('/api/v1/nodes')));
  for (const namespace of await namespacesOf(invocation)) {
    for (const [file, path] of FILES)
      await write(`${namespace}/${file}${ending}`, print(await list(path(namespace))));
    const pods = await list(`/api/v1/namespaces/${namespace}/pods`);
    await write(`${namespace}/pods${ending}`, print(pods));
    for (const pod of pods.items ?? [])
      await write(`${namespace}/${pod.metadata.name}/logs.txt`, await logsOf(invocation, pod));
  }
  if (isTree) await kubectl.out(`Cluster info dumped to ${folder}\n`);
  return 0;
}

async function namespacesOf({ kubectl, flags }: Invocation): Promise<readonly string[]> {
  if (flags.bool('all-namespaces')) {
    const { items } = await kubectl.api.json<ObjectList>({ method: 'GET', path: '/api/v1/namespaces' });
    return (items ?? []).map(({ metadata }) => metadata.name);
  }
  const named = flags.list('namespaces');
  return named.length > 0 ? named : ['kube-system', kubectl.namespace];
}

async function logsOf({ kubectl }: Invocation, { metadata, spec }: PodObject): Promise<string> {
  let text = '';
  for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
    const title = `logs for container ${name} of pod ${metadata.namespace}/${metadata.name}`;
    text += `==== START ${title} ====\n`;
    try {
      text += await kubectl.api.text({
        method: 'GET',
        path: `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/log`,
        query: { container: name },
      });
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      text += `Failed to get logs for container ${name} of pod ${metadata.namespace}/${metadata.name}: ${error.message}\n`;
    }
    text += `==== END ${title} ====\n`;
  }
  return text;
}
