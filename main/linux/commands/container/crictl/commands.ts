// crictl's commands by name, with their flags.
import { parse as parseYaml } from 'yaml';
import { CrictlError, tabular, type CrictlWorld } from './words.ts';
import { imageFs, images, podStats, pods, ps, stats } from './lists.ts';
import { events, info, inspect, inspectImage, inspectPod, version } from './inspect.ts';
import { exec, logs, pull, remove, removeImages, removePods, stop, stopPods } from './changes.ts';
import { create, run, runPod, start } from './create.ts';

export interface CrictlCommand {
  readonly names: readonly string[];
  readonly summary: string;
  readonly form?: string;
  readonly flags?: string;
  readonly stops?: boolean;
  /** Absent: it isn't simulated. */
  readonly run?: (world: CrictlWorld) => Promise<number>;
}

async function config(world: CrictlWorld): Promise<number> {
  const { proc, words } = world;
  const path = '/etc/crictl.yaml';
  const values = new Map(
    Object.entries({
      'runtime-endpoint': '',
      'image-endpoint': '',
      timeout: 0,
      debug: false,
      'pull-image-on-create': false,
      'disable-pull-on-run': false,
      ...(proc.fs.exists(path) ? (parseYaml(proc.fs.readText(path)) as object) : {}),
    } as Record<string, string | number | boolean>),
  );
  const settings = words.values('set');
  const [key, value] = words.operands;
  if (words.value('get') !== undefined) {
    const wanted = words.value('get')!;
    if (!values.has(wanted)) throw new CrictlError(`no configuration key named ${wanted}`);
    await world.print(`${String(values.get(wanted))}\n`);
    return 0;
  }
  if (words.has('list')) {
    await world.print(
      tabular([['KEY', 'VALUE'], ...Array.from(values, ([name, each]) => [name, String(each)])]),
    );
    return 0;
  }
  const pairs =
    settings.length > 0
      ? settings.flatMap((text) => text.split(',')).map((each) => each.split(/=(.*)/s))
      : key === undefined
        ? []
        : [[key, value]];
  if (pairs.length === 0) throw new CrictlError('you must specify at least one option or key');
  for (const [name = '', each = ''] of pairs) {
    if (!values.has(name)) throw new CrictlError(`no section named ${name}`);
    values.set(
      name,
      each === 'true' || each === 'false' ? each === 'true' : /^\d+$/.test(each) ? Number(each) : each,
    );
  }
  proc.fs.writeFile(
    path,
    Array.from(
      values,
      ([name, each]) => `${name}: ${typeof each === 'string' ? JSON.stringify(each) : String(each)}\n`,
    ).join(''),
  );
  return 0;
}

const LISTED = 'quiet,q output,o= template= no-trunc label= latest,l last,n= verbose,v id= state,s= name=';

export const CRICTL_COMMANDS: readonly CrictlCommand[] = [
  { names: ['attach'], summary: 'Attach to a running container' },
  {
    names: ['create'],
    summary: 'Create a new container',
    flags: 'with-pull no-pull auth= creds=',
    run: create,
  },
  {
    names: ['exec'],
    summary: 'Run a command in a running container',
    form: '[command options] CONTAINER-ID COMMAND [ARG...]',
    flags: 'tty,t interactive,i sync,s timeout= transport=',
    stops: true,
    run: exec,
  },
  { names: ['version'], summary: 'Display runtime version information', run: version },
  {
    names: ['images', 'image', 'img'],
    summary: 'List images',
    flags: 'quiet,q output,o= template= no-trunc digests verbose,v pinned filter,f=',
    run: images,
  },
  {
    names: ['inspect'],
    summary: 'Display the status of one or more containers',
    flags: 'output,o= template= quiet,q id= name=',
    run: inspect,
  },
  {
    names: ['inspecti'],
    summary: 'Return the status of one or more images',
    flags: 'output,o= template= quiet,q',
    run: inspectImage,
  },
  { names: ['imagefsinfo'], summary: 'Return image filesystem info', flags: 'output,o=', run: imageFs },
  {
    names: ['inspectp'],
    summary: 'Display the status of one or more pods',
    flags: 'output,o= template= quiet,q',
    run: inspectPod,
  },
  {
    names: ['logs'],
    summary: 'Fetch the logs of a container',
    flags: 'follow,f tail= timestamps,t since= previous,p limit-bytes= reopen,r',
    run: logs,
  },
  { names: ['port-forward'], summary: 'Forward local port to a pod' },
  {
    names: ['ps'],
    summary: 'List containers',
    flags: `${LISTED} all,a pod,p= image= namespace= resolve-image-path,r`,
    run: ps,
  },
  {
    names: ['pull'],
    summary: 'Pull an image from a registry',
    flags: 'creds= auth= annotation,a= pod-config=',
    run: pull,
  },
  {
    names: ['run'],
    summary: 'Run a new container inside a sandbox',
    flags: 'no-pull with-pull runtime,r= timeout,t=',
    run,
  },
  { names: ['runp'], summary: 'Run a new pod', flags: 'runtime,r= cancel-timeout,T=', run: runPod },
  {
    names: ['rm'],
    summary: 'Remove one or more containers',
    flags: 'force,f all,a keep-logs,k',
    run: remove,
  },
  { names: ['rmi'], summary: 'Remove one or more images', flags: 'all,a prune,q', run: removeImages },
  { names: ['rmp'], summary: 'Remove one or more pods', flags: 'force,f all,a', run: removePods },
  { names: ['pods'], summary: 'List pods', flags: `${LISTED} namespace=`, run: pods },
  { names: ['start'], summary: 'Start one or more created containers', run: start },
  {
    names: ['info'],
    summary: 'Display information of the container runtime',
    flags: 'output,o= quiet,q template=',
    run: info,
  },
  { names: ['stop'], summary: 'Stop one or more running containers', flags: 'timeout,t=', run: stop },
  { names: ['stopp'], summary: 'Stop one or more running pods', run: stopPods },
  { names: ['update'], summary: 'Update one or more running containers' },
  {
    names: ['config'],
    summary: 'Get, set and list crictl configuration options',
    flags: 'get= set= list',
    run: config,
  },
  {
    names: ['stats'],
    summary: 'List container(s) resource usage statistics',
    flags: 'all,a id= pod,p= label= output,o= seconds,s= watch,w name=',
    run: stats,
  },
  {
    names: ['statsp'],
    summary:
      "List pod statistics. Stats represent a structured API that will fulfill the Kubelet's /stats/summary endpoint.",
    flags: 'id= label= output,o= watch,w',
    run: podStats,
  },
  {
    names: ['metricsp'],
    summary:
      "List pod metrics. Metrics are unstructured key/value pairs gathered by CRI meant to replace cAdvisor's /metrics/cadvisor endpoint.",
  },
  { names: ['completion'], summary: 'Output shell completion code' },
  { names: ['checkpoint'], summary: 'Checkpoint one or more running containers' },
  { names: ['runtime-config'], summary: 'Retrieve the container runtime configuration' },
  { names: ['events', 'event'], summary: 'Stream the events of containers', flags: 'output,o=', run: events },
];
